package soak_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// client is a program that uses a driver, one connection at a time.
type client struct {
	*door
	person *person
	style  driver.Style
	random *rand.Rand

	connection *driver.Driver // nil: none
	login      *login         // nil: none
	token      []byte
	open       *transaction // nil: none
	dead       *login       // whose token was refused, and may be shown once more
	deadToken  []byte
}

// live takes one step after the other until ctx ends, and leaves.
func (c *client) live(ctx context.Context) {
	for {
		wait := time.Duration(c.random.ExpFloat64() * float64(c.pace))
		select {
		case <-time.After(min(wait, 4*c.pace)):
		case <-ctx.Done():
			c.within(c.leave)
			return
		}
		c.within(c.step)
	}
}

// leave closes the connection, at times without a word.
func (c *client) leave() {
	if c.connection != nil && c.login != nil && c.random.IntN(2) == 0 {
		c.logOut()
	}
	c.disconnect()
}

// disconnect closes the connection. What it had open is nobody's any more.
func (c *client) disconnect() {
	if c.connection == nil {
		return
	}
	c.connection.Close()
	c.connection = nil
	if c.login != nil {
		c.login.left = c.now()
	}
	c.open = nil
}

func (c *client) step() {
	switch {
	case c.connection == nil:
		c.connect()
	case c.login == nil:
		c.logIn()
	default:
		c.draw()
	}
}

func (c *client) connect() {
	connection, err := driver.Connect(c.address, driver.Options{Style: c.style})
	if err != nil {
		c.wrong("a client cannot connect: %v", err)
		return
	}
	c.connection = connection
}

func (c *client) logIn() {
	l := &login{person: c.person, password: c.person.passwordNow(), began: c.now()}
	token, err := c.connection.Login(c.person.name, passwordOf(l.password), c.environment())
	l.ended = c.now()
	c.tried(l, string(token), outcomeOf(err), err)
	switch {
	case err == nil:
		c.login, c.token = l, token
	case outcomeOf(err) == closed || outcomeOf(err) == lost:
		c.disconnect()
	}
}

func (c *client) logOut() {
	switch err := c.connection.Logout(c.token, c.environment()); outcomeOf(err) {
	case served:
		c.login.over = c.now()
		c.bury()
	case refusedToken: // an administrator was faster
		c.bury()
	default:
		c.wrong("a logout is answered with %v", err)
		c.disconnect()
		c.forget()
	}
}

// bury forgets a token that has ended, but for one more try.
func (c *client) bury() {
	c.dead, c.deadToken = c.login, c.token
	c.forget()
}

func (c *client) forget() { c.login, c.token, c.open = nil, nil, nil }

// draw does something that a client with a token does.
func (c *client) draw() {
	switch n := c.random.IntN(100); {
	case n < 2:
		c.logOut()
	case n < 4 && c.open == nil: // a session outlives its connections
		c.disconnect()
	case n < 5: // and what it has open does not
		c.disconnect()
		c.forget()
	case n < 8 && c.dead != nil:
		c.haunt()
	case n < 16 && c.open == nil:
		c.stage()
	case n < 30 && c.open != nil:
		c.finish()
	case n < 65:
		c.ask(c.reads(), reading)
	default:
		c.ask(c.writes(), writing)
	}
}

// haunt shows a token that has ended.
func (c *client) haunt() {
	login, token, open := c.login, c.token, c.open
	c.login, c.token, c.open = c.dead, c.deadToken, nil
	c.ask(c.reads(), reading)
	c.login, c.token, c.open, c.dead = login, token, open, nil
	if c.connection == nil {
		c.login.left, c.open = c.now(), nil
	}
}

// The methods that carry a number, as a record's.
var (
	readers = []string{"getKeyRecord", "selectRecord", "pingRecord", "describeRecord"}
	writers = []string{"addKeyValueRecord", "setKeyValueRecord", "clearKeyRecord", "clearRecord"}
)

func (c *client) reads() string  { return readers[c.random.IntN(len(readers))] }
func (c *client) writes() string { return writers[c.random.IntN(len(writers))] }

// ask makes a call, at times in the transaction that is open.
func (c *client) ask(method string, needs level) {
	k := &call{number: c.numbers.Add(1), method: method, needs: needs, environment: c.environment()}
	args := driver.Call{Args: []driver.Arg{numbered(method, k.number)}}
	if c.open != nil && c.random.IntN(4) > 0 {
		k.in, k.environment = c.open, c.open.environment
		args.Transaction = &c.open.token
	}
	c.call(k, args)
}

func (c *client) stage() {
	k := &call{method: "stage", needs: reading, environment: c.environment()}
	c.take(k, func() error {
		token, err := c.connection.Stage(c.token, k.environment)
		if err == nil {
			k.begun = &transaction{login: c.login, environment: k.environment, token: token, staged: k}
			c.open = k.begun
			if string(token.Token) != string(c.token) {
				c.wrong("a transaction does not name the token that staged it: %v", k)
			}
		}
		return err
	})
}

// finish commits or aborts.
func (c *client) finish() {
	k := &call{method: "abort", in: c.open, environment: c.open.environment}
	if c.random.IntN(3) > 0 {
		k.method, k.needs = "commit", reading
	}
	c.call(k, driver.Call{Transaction: &c.open.token})
	if k.outcome == served {
		c.open = nil
	}
}

func (c *client) call(k *call, args driver.Call) {
	args.Token, args.Environment = c.token, &k.environment
	c.take(k, func() error {
		_, err := c.connection.Call(k.method, args)
		return err
	})
}

// take makes a call, notes what it came to, and draws the conclusions that a
// driver draws.
func (c *client) take(k *call, do func() error) {
	k.login, k.style, k.began = c.login, c.style, c.now()
	k.err = do()
	k.ended, k.outcome = c.now(), outcomeOf(k.err)
	c.add(k)
	switch k.outcome {
	case refusedToken:
		c.bury()
	case refusedTransaction:
		c.open = nil
	case closed, lost:
		c.disconnect()
	}
}

// environment is any, and the last seldom.
func (c *client) environment() string {
	if c.random.IntN(20) == 0 {
		return environments[len(environments)-1]
	}
	return environments[c.random.IntN(len(environments)-1)]
}

// numbered is the argument of a method that is a record, with the number in it.
func numbered(method string, n int64) driver.Arg {
	m, _ := methods.Lookup(method)
	for _, a := range m.Arguments {
		if a.Name == "record" {
			return driver.Arg{ID: a.ID, Value: n}
		}
	}
	panic(method + " takes no record")
}

func passwordOf(n int) string { return fmt.Sprintf("%s %d", hosttest.Password, n) }

// outcomeOf says what a call's error means to its client.
func outcomeOf(err error) outcome {
	if err == nil {
		return served
	}
	if e, ok := errors.AsType[*driver.Exception](err); ok {
		switch {
		case e.Name == "SecurityException":
			return refusedToken // or, of a login, for its credentials
		case e.Name == "PermissionException":
			return refusedPermission
		case e.Name == "TransactionException":
			return refusedTransaction
		}
		return failed
	}
	if e, ok := errors.AsType[thrift.TApplicationException](err); ok {
		switch {
		case e.TypeId() != thrift.INTERNAL_ERROR:
			return lost // a message that the driver or the host did not understand
		case strings.Contains(e.Error(), "Insufficient Permission"):
			return refusedPermission
		case strings.Contains(e.Error(), relay.ErrTransaction.Error()):
			return refusedTransaction
		}
		return failed
	}
	if slices.ContainsFunc([]error{io.EOF, syscall.ECONNRESET, syscall.EPIPE}, func(e error) bool { return errors.Is(err, e) }) {
		return closed
	}
	return lost
}
