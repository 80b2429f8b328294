package thrift_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apache "github.com/apache/thrift/lib/go/thrift"
	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	right    = "correct horse battery" // the password of every account
	patience = time.Minute             // of waits that are no measurement
)

// users is a plugin that knows some accounts.
type users struct {
	gate.Users // what no test asks of it

	accounts map[string]account.Account

	// authenticate, if not nil, stands in for its own answer.
	authenticate func(context.Context, account.Credentials) (account.Login, error)
}

func (u *users) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	if u.authenticate != nil {
		return u.authenticate(ctx, c)
	}
	return u.check(c)
}

func (u *users) check(c account.Credentials) (account.Login, error) {
	a, ok := u.accounts[c.Username]
	switch {
	case !ok || string(c.Password) != right:
		return account.Login{}, account.NotAuthenticated()
	case !a.Enabled:
		return account.Login{}, account.NotPermitted(account.ReasonSuspended, "'%s' is suspended", a.Username)
	}
	return account.Login{Account: a, Revision: 1}, nil
}

func (u *users) Exists(_ context.Context, username string) (bool, error) {
	_, ok := u.accounts[username]
	return ok, nil
}

// port is a client port over a real gate and a real table.
type port struct {
	*thrift.Server
	address string
	users   *users
	table   *session.Table
	log     *logged
	relay   *relay.Relay // nil: no data server
	later   atomic.Int64 // by how much the table's clock is ahead
	stopped chan struct{}
}

// logged is a log that may be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// open opens a client port. Its accounts are the administrator root, the user
// ann, who may read in "r", read and write in "w" and "plain", and nothing
// anywhere else, the user bob without grants, and sue, who is suspended.
func open(t testing.TB, change ...func(*thrift.Options)) *port {
	t.Helper()
	p := &port{users: &users{accounts: map[string]account.Account{}}, log: &logged{}, stopped: make(chan struct{})}
	for _, a := range []account.Account{
		{Username: "root", Role: account.Admin, Enabled: true},
		{Username: "ann", Role: account.User, Enabled: true, Grants: account.Grants{
			"r": {account.Read}, "w": {account.Write}, "plain": {account.Write},
		}},
		{Username: "bob", Role: account.User, Enabled: true},
		{Username: "sue", Role: account.User},
	} {
		a.ID, a.Generation = account.ID("id of "+a.Username), 1
		p.users.accounts[a.Username] = a
	}
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit.jsonl"), audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	p.table = session.New(session.Options{
		Host: "h", Lease: 1000 * time.Hour, IdleTimeout: time.Hour,
		Now: func() time.Time { return time.Now().Add(time.Duration(p.later.Load())) },
		Changed: func(username string) {
			if p.relay != nil {
				p.relay.Changed(username)
			}
		},
	})
	p.table.Heartbeat("store", 0, time.Now())
	stopping, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	logger := hclog.New(&hclog.LoggerOptions{Output: p.log, Level: hclog.Debug})
	o := thrift.Options{
		Gate: &gate.Gate{
			Users: p.users, Table: p.table, Throttle: throttle.New(throttle.Options{}), Audit: log,
			Logger: logger, Host: "h", DefaultEnvironment: "plain",
			CallTimeout: patience, LeaseWait: 100 * time.Millisecond, Stopping: stopping,
		},
		Logger:             logger,
		DefaultEnvironment: "plain",
	}
	for _, c := range change {
		c(&o)
	}
	p.relay, p.Server = o.Relay, thrift.NewClients(o)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	go func() {
		defer close(p.stopped)
		if err := p.Serve(listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		p.Stop(patience)
		<-p.stopped
		if n := p.Connections(); n != 0 {
			t.Errorf("%d connections are open after Stop", n)
		}
		for _, r := range p.rows() {
			if r.Connections != 0 {
				t.Errorf("a session of %s still counts %d connections", r.Username, r.Connections)
			}
		}
	})
	return p
}

// dial connects in a style.
func (p *port) dial(t testing.TB, s driver.Style) *driver.Driver {
	t.Helper()
	return driver.Dial(t, p.address, driver.Options{Style: s})
}

// login connects in a style and logs in.
func (p *port) login(t testing.TB, s driver.Style, username string) (*driver.Driver, []byte) {
	t.Helper()
	d := p.dial(t, s)
	token, err := d.Login(username, right, "")
	if err != nil {
		t.Fatal(err)
	}
	return d, token
}

// rows returns what a listing shows of the sessions.
func (p *port) rows() (all []account.Session) {
	_, batches := p.table.List(session.Listing{Order: session.ByConnected})
	for batch := range batches {
		all = append(all, batch...)
	}
	return all
}

// styles are those of drivers.
var styles = map[string]driver.Style{"Multiplexed": driver.Multiplexed, "Bare": driver.Bare}

// in returns a call's environment.
func in(environment string) *string { return &environment }

// declared checks that an error is an exception of the interface.
func declared(t *testing.T, err error, name, text string) {
	t.Helper()
	e, ok := errors.AsType[*driver.Exception](err)
	if !ok || e.Name != name || e.Message != text {
		t.Errorf("%v, want %s: %s", err, name, text)
	}
}

// application checks that an error is a TApplicationException.
func application(t *testing.T, err error, kind int32, text string) {
	t.Helper()
	e, ok := errors.AsType[apache.TApplicationException](err)
	if !ok || e.TypeId() != kind || e.Error() != text {
		t.Errorf("%v, want a TApplicationException of type %d: %s", err, kind, text)
	}
}

// await waits until it is so.
func await(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is still not so that %s", patience, what)
		}
	}
}
