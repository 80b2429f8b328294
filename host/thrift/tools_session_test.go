package thrift_test

import (
	"bytes"
	"context"
	"fmt"
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

// live checks that a tool's session is good.
func live(t *testing.T, d *driver.Driver, token []byte) {
	t.Helper()
	if v, err := d.Call("hasUser", args(token, driver.Arg{ID: 1, Value: "ann"})); v != true || err != nil {
		t.Errorf("a session that should live: %v, %v", v, err)
	}
}

// dead checks that a tool's session is not good here.
func dead(t *testing.T, d *driver.Driver, token []byte) {
	t.Helper()
	_, err := d.Call("hasUser", args(token, driver.Arg{ID: 1, Value: "ann"}))
	declared(t, err, "SecurityException", "Invalid access token")
}

// all are the methods of the service that take an administrator.
var all = []string{
	"createUser", "setUserPassword", "setUserRole", "enableUser", "disableUser", "deleteUser", "grant", "revoke", "hasUser", "listAllUserSessions",
	"dump", "compactData",
}

// everywhere checks that every call with a token is refused, and none carried
// out.
func (b *both) everywhere(t *testing.T, d *driver.Driver, token []byte, exception, text string) {
	t.Helper()
	for _, name := range all {
		_, err := d.Call(name, args(token))
		declared(t, err, exception, text)
	}
	if asked := b.keeper.asked(); len(asked) > 0 {
		t.Errorf("the plugin was asked for %+v", asked)
	}
}

func TestTools_DeadToken(t *testing.T) {
	for _, c := range []struct {
		name string
		shot func(t *testing.T, b *both, d *driver.Driver) []byte // returns what is shown on the connection
	}{
		{"Stranger", func(*testing.T, *both, *driver.Driver) []byte { return nil }},
		{"Empty", func(*testing.T, *both, *driver.Driver) []byte { return []byte{} }},
		{"Unknown", func(*testing.T, *both, *driver.Driver) []byte { return bytes.Repeat([]byte{7}, 32) }},
		{"Long", func(t *testing.T, b *both, d *driver.Driver) []byte { return append(b.enter(t, d, "root"), 0) }},
		{"LoggedOut", func(t *testing.T, b *both, d *driver.Driver) []byte {
			token := b.enter(t, d, "root")
			if err := d.Logout(token, ""); err != nil {
				t.Fatal(err)
			}
			return token
		}},
		{"Revoked", func(t *testing.T, b *both, d *driver.Driver) []byte {
			token := b.enter(t, d, "root")
			b.table.Revoke("root")
			return token
		}},
		{"OfAnotherConnection", func(t *testing.T, b *both, _ *driver.Driver) []byte {
			_, token := b.as(t, "root")
			return token
		}},
		{"OfAnotherConnection/WithItsOwn", func(t *testing.T, b *both, d *driver.Driver) []byte {
			b.enter(t, d, "root")
			_, token := b.as(t, "root")
			return token
		}},
		{"OfAClient", func(t *testing.T, b *both, _ *driver.Driver) []byte {
			_, token := b.login(t, driver.Multiplexed, "root")
			return token
		}},
		{"LoginAgain", func(t *testing.T, b *both, d *driver.Driver) []byte {
			token := b.enter(t, d, "root")
			b.enter(t, d, "jeff")
			return token
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := openBoth(t)
			d := b.tool(t)
			token := c.shot(t, b, d)
			b.everywhere(t, d, token, "SecurityException", "Invalid access token")
			declared(t, d.Logout(token, ""), "SecurityException", "Invalid access token")
		})
	}
}

// A token of a client that is no administrator tells nothing and does nothing.
func TestTools_User(t *testing.T) {
	b := openBoth(t)
	_, token := b.login(t, driver.Bare, "ann")
	b.everywhere(t, b.tool(t), token, "ManagementException", toolUnauthorized)
	declared(t, b.tool(t).Logout(token, ""), "SecurityException", "Invalid access token")
	if n := b.table.Len(); n != 1 {
		t.Errorf("%d sessions, want the client's", n)
	}
}

func TestTools_Login(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	if len(token) != 32 {
		t.Errorf("a token of %d bytes", len(token))
	}
	rows := b.rows()
	if len(rows) != 1 {
		t.Fatalf("%d sessions", len(rows))
	}
	got := [4]string{rows[0].Username, string(rows[0].Listener), rows[0].Client, rows[0].Environment}
	if want := [4]string{"root", "management", "thrift management", ""}; got != want || rows[0].Connections != 1 || !strings.HasPrefix(rows[0].RemoteAddress, "127.0.0.1:") {
		t.Errorf("%+v, want %v with one connection from here", rows[0], want)
	}
	live(t, d, token)
	if err := d.Logout(token, ""); err != nil {
		t.Fatal(err)
	}
	if n := b.table.Len(); n != 0 {
		t.Errorf("%d sessions after a logout", n)
	}
	live(t, d, b.enter(t, d, "root"))
}

func TestTools_Login_Refused(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	b.users.authenticate = func(_ context.Context, c account.Credentials) (account.Login, error) {
		switch c.Username {
		case "eager":
			return account.Login{}, account.Throttled(7 * time.Second)
		case "lost":
			return account.Login{}, account.Unavailable("the store does not answer")
		}
		return b.users.check(c)
	}
	for _, c := range []struct {
		name, username, password string
		kind                     int32 // of a TApplicationException; 0: a SecurityException
		text                     string
	}{
		{"User", "ann", right, 0, "'ann' is not an administrator; that takes the role ADMIN"},
		{"UserAndWrong", "ann", "wrong", 0, "Invalid username/password combination."},
		{"WrongPassword", "root", "wrong", 0, "Invalid username/password combination."},
		{"NoSuchUser", "nobody", right, 0, "Invalid username/password combination."},
		{"Nothing", "", "", 0, "Invalid username/password combination."},
		{"Suspended", "sue", right, 0, "Cannot issue a token for a user whose access has been disabled"},
		{"Throttled", "eager", right, apache.INTERNAL_ERROR, "too many attempts; try again in 7s"},
		{"Unavailable", "lost", right, apache.INTERNAL_ERROR, "the store does not answer"},
		{"TooLong", strings.Repeat("n", 20_000), right, apache.PROTOCOL_ERROR, "the login is longer than may be"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := d.Login(c.username, c.password, "")
			if c.kind == 0 {
				declared(t, err, "SecurityException", c.text)
			} else {
				application(t, err, c.kind, c.text)
			}
		})
	}
	live(t, d, token) // a refused login ends nothing
	if n := b.table.Len(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// A connection has one session at most, which ends with the connection.
func TestTools_Sessions(t *testing.T) {
	b := openBoth(t)
	d := b.tool(t)
	for range 40 { // more than a connection remembers
		live(t, d, b.enter(t, d, "root"))
		if n := b.table.Len(); n != 1 {
			t.Fatalf("%d sessions", n)
		}
	}
	d.Close()
	await(t, "the session has ended", func() bool { return b.table.Len() == 0 })
}

// A tool's token is good for nothing on the client port, where it is nobody's.
func TestTools_Sessions_ShownToClients(t *testing.T) {
	t.Parallel()
	b := openBoth(t, func(o *thrift.Options) { o.FirstByte = 2 * time.Second })
	d, token := b.as(t, "root")
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			client := b.dial(t, style)
			_, err := client.Call("time", driver.Call{Token: token, Environment: in("r")})
			declared(t, err, "SecurityException", "Invalid access token")
			_, err = client.Call("invokeManagement", invocation(token, "grant", binaryText("ann"), scalarText("WRITE"), scalarText("closed")))
			declared(t, err, "SecurityException", "Invalid access token")
			declared(t, client.Logout(token, ""), "SecurityException", "Invalid access token")
			if err := client.AwaitClosed(); err != nil {
				t.Errorf("a silent connection without a token of its own: %v", err)
			}
		})
	}
	if asked := b.keeper.asked(); len(asked) > 0 {
		t.Errorf("the plugin was asked for %+v", asked)
	}
	live(t, d, token)
	if n := b.rows()[0].Connections; n != 1 {
		t.Errorf("the session counts %d connections, want its own", n)
	}
}

// One administrator's connection keeps no other out, and does what the other
// does not undo.
func TestTools_TwoAdministrators(t *testing.T) {
	b := openBoth(t)
	idle, idleToken := b.as(t, "root")
	var working sync.WaitGroup
	for i, name := range []string{"root", "jeff"} {
		d, token := b.as(t, name)
		working.Go(func() {
			for n := range 50 {
				who := fmt.Sprintf("u%d_%d", i, n)
				if _, err := d.Call("createUser", args(token, driver.Arg{ID: 1, Value: who}, driver.Arg{ID: 3, Value: "USER"})); err != nil {
					t.Errorf("%s: %v", who, err)
				}
			}
		})
	}
	working.Wait()
	by := map[string]int{}
	for _, o := range b.keeper.asked() {
		by[o.By]++
	}
	if want := map[string]int{"root": 50, "jeff": 50}; !cmp.Equal(by, want) {
		t.Errorf("changes by %v, want %v", by, want)
	}
	live(t, idle, idleToken)
}

// The target's sessions are over before the answer comes (rule 3).
func TestTools_Revocation(t *testing.T) {
	for _, c := range []struct {
		method string
		args   []driver.Arg
	}{
		{"disableUser", nil},
		{"deleteUser", nil},
		{"setUserPassword", []driver.Arg{{ID: 2, Value: "another password"}}},
		{"setUserRole", []driver.Arg{{ID: 2, Value: "ADMIN"}}},
	} {
		t.Run(c.method, func(t *testing.T) {
			b := openBoth(t)
			client, shown := b.login(t, driver.Multiplexed, "ann")
			other, otherToken := b.login(t, driver.Multiplexed, "bob")
			d, token := b.as(t, "root")
			value, err := d.Call(c.method, args(token, append(c.args, driver.Arg{ID: 1, Value: "ann"})...))
			called(t, value, err)
			_, err = client.Call("time", driver.Call{Token: shown, Environment: in("r")})
			declared(t, err, "SecurityException", "Invalid access token")
			if err := other.Logout(otherToken, ""); err != nil {
				t.Errorf("another's session: %v", err)
			}
			live(t, d, token)
		})
	}
	t.Run("Oneself", func(t *testing.T) {
		b := openBoth(t)
		d, token := b.as(t, "root")
		value, err := d.Call("setUserPassword", args(token, driver.Arg{ID: 1, Value: "root"}, driver.Arg{ID: 2, Value: "another password"}))
		called(t, value, err) // it is told, and then the session is over
		dead(t, d, token)
		live(t, d, b.enter(t, d, "root"))
	})
	t.Run("OutcomeUnknown", func(t *testing.T) { // it may have been carried out
		b := openBoth(t)
		_, shown := b.login(t, driver.Multiplexed, "ann")
		d, token := b.as(t, "root")
		b.keeper.answers(func(order) (account.Change, error) {
			return account.Change{}, account.OutcomeUnknown(account.NewRequestID(time.Now()))
		})
		if _, err := d.Call("disableUser", args(token, driver.Arg{ID: 1, Value: "ann"})); err == nil {
			t.Error("a lost answer is success")
		}
		_, err := b.dial(t, driver.Multiplexed).Call("time", driver.Call{Token: shown, Environment: in("r")})
		declared(t, err, "SecurityException", "Invalid access token")
	})
}

func TestTools_PastLease(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	b.later.Store(int64(1001 * time.Hour))
	b.everywhere(t, d, token, "ManagementException", "the host is out of touch with the store of accounts; try again in a moment")
	b.later.Store(0)
	b.table.Heartbeat("store", 0, time.Now())
	live(t, d, token)
}
