package main_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
)

// atUpstream stands in a script's concourse.yaml for the address of a data server
// of its own.
const atUpstream = "UPSTREAM"

type driversKey struct{}

// scriptDrivers are the drivers of a script, by the names that it gives them, and
// the data server behind its host.
type scriptDrivers struct {
	upstream *upstream.Server // nil: none
	byName   map[string]*scriptDriver
}

// scriptDriver has a session and a connection, and another connection for what
// hangs.
type scriptDriver struct {
	connection  *driver.Driver
	token       []byte
	environment string
	transaction *driver.Transaction
}

// withUpstream gives the settings a data server, if they ask for one.
func withUpstream(env *testscript.Env, settings string) string {
	d := &scriptDrivers{byName: map[string]*scriptDriver{}}
	env.Values[driversKey{}] = d
	if !strings.Contains(settings, atUpstream) {
		return settings
	}
	d.upstream = upstream.Start(env.T().(testing.TB), upstream.Options{})
	return strings.ReplaceAll(settings, atUpstream, d.upstream.Address())
}

// drive has a script's driver do something:
//
//	drive NAME log-in USER PASSWORD ENVIRONMENT   it names services, as Java's does
//	drive NAME stage [ENVIRONMENT]                in the login's, or another, where its calls then are
//	drive NAME calls METHOD                       in the transaction, if there is one
//	drive NAME hangs METHOD                       the data server does not answer
//	drive NAME refused METHOD PATTERN             the exception's name, a colon and its text
func drive(ts *testscript.TestScript, neg bool, args []string) {
	all := ts.Value(driversKey{}).(*scriptDrivers)
	if neg || len(args) < 2 {
		ts.Fatalf("it takes a name and what to do, and no !")
	}
	d := all.byName[args[0]]
	if d == nil {
		d = &scriptDriver{connection: connect(ts)}
		all.byName[args[0]] = d
	}
	var err error
	switch do, with := args[1], args[2:]; {
	case do == "log-in" && len(with) == 3:
		d.environment = with[2]
		d.token, err = d.connection.Login(with[0], with[1], with[2])
	case do == "stage" && len(with) <= 1:
		if len(with) > 0 {
			d.environment = with[0]
		}
		var staged driver.Transaction
		staged, err = d.connection.Stage(d.token, d.environment)
		d.transaction = &staged
	case do == "calls" && len(with) == 1:
		err = d.call(d.connection, with[0])
	case do == "hangs" && len(with) == 1:
		all.upstream.Next(with[0], upstream.Hang)
		go d.call(connect(ts), with[0])
	case do == "refused" && len(with) == 2:
		refusal := d.call(d.connection, with[0])
		if refusal == nil || !regexp.MustCompile(with[1]).MatchString(refusal.Error()) {
			ts.Fatalf("the call came to: %v", refusal)
		}
	default:
		ts.Fatalf("a driver cannot %q", args[1:])
	}
	ts.Check(err)
}

// connect makes a connection that lasts as long as the script.
func connect(ts *testscript.TestScript) *driver.Driver {
	c, err := driver.Connect(ts.Value(hostKey{}).(*scriptHost).ClientAddress(), driver.Options{})
	ts.Check(err)
	ts.Defer(func() { c.Close() })
	return c
}

func (d *scriptDriver) call(c *driver.Driver, method string) error {
	_, err := c.Call(method, driver.Call{Token: d.token, Transaction: d.transaction, Environment: &d.environment})
	return err
}

// awaitFree waits until nothing of the host's is left at the data server.
func awaitFree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("it takes no arguments and no !")
	}
	up := ts.Value(driversKey{}).(*scriptDrivers).upstream
	for end := time.Now().Add(time.Minute); len(up.Transactions()) > 0 || up.Tokens() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("%d transactions and %d tokens are left", len(up.Transactions()), up.Tokens())
		}
	}
}

// awaitCall waits until the data server has been asked for the method.
func awaitCall(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("it takes a method, and no !")
	}
	up := ts.Value(driversKey{}).(*scriptDrivers).upstream
	for end := time.Now().Add(time.Minute); len(up.Calls(args[0])) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("nobody has called %s", args[0])
		}
	}
}
