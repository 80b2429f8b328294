package thrift_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	apache "github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestLogin(t *testing.T) {
	p := open(t)
	clients := map[driver.Style]string{driver.Multiplexed: "thrift multiplexed", driver.Bare: "thrift"}
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			d := p.dial(t, style)
			token, err := d.Login("ann", right, "a-b")
			if err != nil || len(token) != 32 {
				t.Fatalf("a token of %d bytes, %v", len(token), err)
			}
			rows := p.rows()
			if len(rows) != 1 {
				t.Fatalf("%d sessions", len(rows))
			}
			r := rows[0]
			got := [4]string{r.Username, string(r.Listener), r.Environment, r.Client}
			if want := [4]string{"ann", "client", "ab", clients[style]}; got != want || r.Connections != 1 || !strings.HasPrefix(r.RemoteAddress, "127.0.0.1:") {
				t.Errorf("%+v, want %v with one connection from here", r, want)
			}
			if err := d.Logout(token, ""); err != nil {
				t.Fatal(err)
			}
			if n := p.table.Len(); n != 0 {
				t.Errorf("%d sessions after a logout", n)
			}
		})
	}
}

func TestLogin_DefaultEnvironment(t *testing.T) {
	p := open(t)
	p.login(t, driver.Bare, "ann")
	d := p.dial(t, driver.Bare)
	if _, err := d.Call("login", driver.Call{Args: []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: right}}}); err != nil {
		t.Fatal(err)
	}
	for _, r := range p.rows() {
		if r.Environment != "plain" {
			t.Errorf("an environment %q", r.Environment)
		}
	}
}

func TestLogin_Refused(t *testing.T) {
	for _, c := range []struct {
		name, username, password, environment string
		kind                                  int32 // of a TApplicationException; 0: a SecurityException
		text                                  string
	}{
		{"WrongPassword", "ann", "wrong", "", 0, "Invalid username/password combination."},
		{"NoSuchUser", "nobody", right, "", 0, "Invalid username/password combination."},
		{"NoName", "", right, "", 0, "Invalid username/password combination."},
		{"NoUTF8", "\xff", right, "", 0, "Invalid username/password combination."},
		{"Suspended", "sue", right, "", 0, "Cannot issue a token for a user whose access has been disabled"},
		{"SuspendedAndWrong", "sue", "wrong", "", 0, "Invalid username/password combination."},
		{"Environment", "ann", right, "---", 0, "the environment's name '---' has no letter, digit or _"},
		{"LongEnvironment", "ann", right, strings.Repeat("e", 300), 0, "the environment's name has 300 characters; it may have 255"},
		{"Throttled", "eager", right, "", apache.INTERNAL_ERROR, "too many attempts; try again in 7s"},
		{"Unavailable", "lost", right, "", apache.INTERNAL_ERROR, "the store does not answer"},
	} {
		for name, style := range styles {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				p := open(t)
				p.users.authenticate = func(_ context.Context, c account.Credentials) (account.Login, error) {
					switch c.Username {
					case "eager":
						return account.Login{}, account.Throttled(7 * time.Second)
					case "lost":
						return account.Login{}, account.Unavailable("the store does not answer")
					}
					return p.users.check(c)
				}
				d := p.dial(t, style)
				_, err := d.Login(c.username, c.password, c.environment)
				if c.kind == 0 {
					declared(t, err, "SecurityException", c.text)
				} else {
					application(t, err, c.kind, c.text)
				}
				if p.table.Len() != 0 {
					t.Error("there is a session")
				}
				if _, err := d.Login("ann", right, ""); err != nil {
					t.Errorf("the connection does not live on: %v", err)
				}
			})
		}
	}
}

// A login that is too long is answered where it may come whole.
func TestLogin_TooLong(t *testing.T) {
	p := open(t)
	d, _ := p.login(t, driver.Multiplexed, "ann")
	_, err := d.Login(strings.Repeat("n", 20_000), right, "")
	application(t, err, apache.PROTOCOL_ERROR, "the login is longer than may be")
	if _, err := d.Login("ann", right, ""); err != nil {
		t.Errorf("the connection does not live on: %v", err)
	}
}

// Guesses are slowed down, and that is no answer to a password.
func TestLogin_Throttled(t *testing.T) {
	p := open(t)
	d := p.dial(t, driver.Multiplexed)
	var all sync.WaitGroup
	for range 30 { // more than may wait at once
		other := p.dial(t, driver.Bare)
		all.Go(func() { other.Login("ann", "wrong", "") })
	}
	defer all.Wait()
	await(t, "a guess is refused unheard", func() bool {
		_, err := d.Login("ann", "wrong", "")
		e, ok := errors.AsType[apache.TApplicationException](err)
		return ok && e.TypeId() == apache.INTERNAL_ERROR && strings.HasPrefix(e.Error(), "too many attempts; try again in ")
	})
}

// A login without its arguments is one with empty ones.
func TestLogin_NoArguments(t *testing.T) {
	d := open(t).dial(t, driver.Multiplexed)
	_, err := d.Call("login", driver.Call{Args: []driver.Arg{{ID: 1}, {ID: 2}}})
	declared(t, err, "SecurityException", "Invalid username/password combination.")
}

// Past the lease a session can be ended, by those only who could end it before.
func TestLogout_PastLease(t *testing.T) {
	b := openBoth(t)
	client, clientToken := b.login(t, driver.Multiplexed, "root")
	tool, toolToken := b.as(t, "root")
	other, _ := b.as(t, "jeff")
	b.later.Store(int64(1001 * time.Hour))
	dead := func(err error) {
		t.Helper()
		declared(t, err, "SecurityException", "Invalid access token")
	}
	dead(client.Logout(toolToken, ""))
	dead(tool.Logout(clientToken, ""))
	dead(other.Logout(toolToken, ""))
	if n := b.table.Len(); n != 3 {
		t.Errorf("%d sessions, want all three", n)
	}
	if err := tool.Logout(toolToken, ""); err != nil {
		t.Errorf("a tool's own: %v", err)
	}
	if n := b.table.Len(); n != 2 {
		t.Errorf("%d sessions, want two", n)
	}
}

func TestLogin_PastLease(t *testing.T) {
	p := open(t)
	d, token := p.login(t, driver.Multiplexed, "ann")
	p.later.Store(int64(1001 * time.Hour))
	const text = "the host is out of touch with the store of accounts; try again in a moment"
	_, err := d.Login("ann", right, "")
	application(t, err, apache.INTERNAL_ERROR, text)

	_, err = d.Call("time", driver.Call{Token: token, Environment: in("r")})
	declared(t, err, "SecurityException", "Invalid access token") // it is idle too

	p.later.Store(0)
	p.table.Heartbeat("store", 0, time.Now())
}

// The login of a client that has gone does not go on.
func TestLogin_ClientGone(t *testing.T) {
	transports(t, func(t *testing.T, by transport, change ...func(*thrift.Options)) {
		p := open(t, change...)
		asked, over := make(chan struct{}), make(chan struct{})
		p.users.authenticate = func(ctx context.Context, _ account.Credentials) (account.Login, error) {
			close(asked)
			<-ctx.Done()
			close(over)
			return account.Login{}, ctx.Err()
		}
		d := by.dial(t, p)
		request, err := driver.Options{Style: driver.Bare}.Request("login", 0, driver.Call{Args: []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: right}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Send(request); err != nil {
			t.Fatal(err)
		}
		<-asked
		d.Close()
		select {
		case <-over:
		case <-time.After(patience):
			t.Fatal("the login of a client that has gone goes on")
		}
		await(t, "the connection is gone", func() bool { return p.Connections() == 0 })
	})
}

// A panic costs one answer, and its value stays out of the log.
func TestLogin_Panic(t *testing.T) {
	p := open(t)
	p.users.authenticate = func(_ context.Context, c account.Credentials) (account.Login, error) {
		if c.Username == "ann" {
			panic("the password is " + string(c.Password))
		}
		return p.users.check(c)
	}
	d := p.dial(t, driver.Multiplexed)
	_, err := d.Login("ann", right, "")
	application(t, err, apache.INTERNAL_ERROR, "Internal error processing login")
	if _, err := d.Login("root", right, ""); err != nil {
		t.Errorf("the connection does not live on: %v", err)
	}
	if log := p.log.String(); strings.Contains(log, right) || !strings.Contains(log, "panic=string") {
		t.Errorf("the log says\n%s", log)
	}
}

func TestLogout(t *testing.T) {
	p := open(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			d, token := p.login(t, style, "bob")
			if err := d.Logout(token, "anywhere"); err != nil {
				t.Fatal(err)
			}
			declared(t, d.Logout(token, "anywhere"), "SecurityException", "Invalid access token")
			declared(t, d.Logout(token[:31], ""), "SecurityException", "Invalid access token")
			declared(t, d.Logout(nil, ""), "SecurityException", "Invalid access token")
			_, err := d.Call("time", driver.Call{Token: token, Environment: in("")})
			declared(t, err, "SecurityException", "Invalid access token")
			again, err := d.Login("bob", right, "")
			if err != nil || bytes.Equal(again, token) {
				t.Errorf("the next login: %v", err)
			}
			if err := d.Logout(again, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// A session counts the connections on which its token was shown, each once.
func TestConnections(t *testing.T) {
	p := open(t)
	first, token := p.login(t, driver.Multiplexed, "ann")
	counted := func() (n int) { return p.rows()[0].Connections }
	show := func(d *driver.Driver, environment string) {
		t.Helper()
		if _, err := d.Call("time", driver.Call{Token: token, Environment: in(environment)}); err == nil {
			t.Error("a call without a data server was answered")
		}
	}
	var got []int
	second, third := p.dial(t, driver.Bare), p.dial(t, driver.Multiplexed)
	got = append(got, counted())
	show(first, "r")
	show(first, "r")
	got = append(got, counted())
	show(second, "r")
	show(second, "w")
	got = append(got, counted())
	show(third, "closed") // refused, with a token that is good
	got = append(got, counted())
	if want := []int{1, 1, 2, 3}; !cmp.Equal(got, want) {
		t.Errorf("connections: %v, want %v", got, want)
	}
	first.Close()
	await(t, "two connections are left", func() bool { return counted() == 2 })
	second.Close()
	third.Close()
	await(t, "no connection is left", func() bool { return counted() == 0 })

	late := p.dial(t, driver.Bare)
	show(late, "r") // the session outlives its connections
	if n := counted(); n != 1 {
		t.Errorf("%d connections after the token came back", n)
	}
}

// A connection counts for so many sessions at once, takes no other, and makes room
// by those that ended.
func TestConnections_ManySessions(t *testing.T) {
	p := open(t)
	d := p.dial(t, driver.Bare)
	sum := func() (n int) {
		for _, r := range p.rows() {
			n += r.Connections
		}
		return n
	}
	var tokens [][]byte
	for range 16 {
		token, err := d.Login("ann", right, "")
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	other, elsewhere := p.login(t, driver.Multiplexed, "root")
	const text = "this connection has shown the tokens of 16 sessions that live; log out of one, or open another connection"
	p.users.authenticate = func(context.Context, account.Credentials) (account.Login, error) {
		t.Error("a login for which there is no room was hashed")
		return account.Login{}, account.NotAuthenticated()
	}
	_, err := d.Login("ann", right, "")
	application(t, err, apache.INTERNAL_ERROR, text)
	p.users.authenticate = nil
	for _, c := range []driver.Call{{Token: elsewhere, Environment: in("w")}, invocation(elsewhere, "grant")} {
		method := "time"
		if c.Environment == nil {
			method = "invokeManagement"
		}
		_, err := d.Call(method, c)
		application(t, err, apache.INTERNAL_ERROR, text)
	}
	if n := sum(); n != 17 || p.table.Len() != 17 {
		t.Errorf("%d connections are counted of %d sessions, want 17 of 17", n, p.table.Len())
	}
	if err := other.Logout(elsewhere, ""); err != nil {
		t.Errorf("the session that was refused here: %v", err)
	}
	for _, token := range tokens {
		_, err := d.Call("time", driver.Call{Token: token, Environment: in("w")})
		application(t, err, apache.INTERNAL_ERROR, noServer)
	}
	for _, token := range tokens[:15] {
		if err := d.Logout(token, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Login("ann", right, ""); err != nil {
		t.Fatal(err)
	}
	if n := sum(); n != 2 {
		t.Errorf("%d connections are counted after logouts, want 2", n)
	}
	d.Close()
	await(t, "no connection is counted", func() bool { return sum() == 0 })
}
