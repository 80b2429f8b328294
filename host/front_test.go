package host_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// The files front_*_test.go hold the front door to its promises as a whole: real
// host and plugin, drivers of both styles, and a stand-in for the data server.

// atFreePort lets drivers reach a host, at a port that nobody else has.
const atFreePort = "client.address: localhost:0"

// door is a host with a data server behind it.
type door struct {
	t     *testing.T
	h     *hosttest.Host
	up    *upstream.Server
	admin *management.Client
}

func openDoor(t *testing.T, settings ...string) *door {
	t.Helper()
	up := upstream.Start(t, upstream.Options{})
	h := hosttest.Start(t, append(settings, atFreePort,
		"upstream.address: "+up.Address(), "upstream.username: "+upstream.Username, fmt.Sprintf("upstream.password: %q", upstream.Password))...)
	return &door{t, h, up, h.Admin()}
}

// visitor is somebody with a driver.
type visitor struct {
	*driver.Driver
	token       []byte
	environment string
}

// connect gives an account another connection, on which its token was not shown
// yet.
func (d *door) connect(style driver.Style, token []byte, environment string) *visitor {
	d.t.Helper()
	return &visitor{driver.Dial(d.t, d.h.ClientAddress(), driver.Options{Style: style}), token, environment}
}

// enter makes a USER that may write in "billing", and logs it in.
func (d *door) enter(style driver.Style, username string) *visitor {
	d.t.Helper()
	create(d.t, d.admin, username, account.User)
	must(d.admin.Grant(d.t.Context(), anew, account.Grant{Username: username, Permission: account.Write, Environment: "billing"}))(d.t)
	return d.logIn(style, username)
}

func (d *door) logIn(style driver.Style, username string) *visitor {
	d.t.Helper()
	c := d.connect(style, nil, "billing")
	token, err := c.Login(username, secret, "billing")
	if err != nil {
		d.t.Fatalf("log in as %s: %v", username, err)
	}
	c.token = token
	return c
}

func (c *visitor) ask(method string) error {
	_, err := c.Call(method, driver.Call{Token: c.token, Environment: &c.environment})
	return err
}

func (c *visitor) stage(t *testing.T) driver.Transaction {
	t.Helper()
	tx, err := c.Stage(c.token, c.environment)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// left fails the test if, after a while, the upstream has more transactions or
// tokens.
func (d *door) left(transactions, tokens int) {
	d.t.Helper()
	hosttest.Await(d.t, fmt.Sprintf("%d transactions and %d tokens are left upstream", transactions, tokens), func() bool {
		return len(d.up.Transactions()) == transactions && d.up.Tokens() == tokens
	})
}

// wantRefused fails the test unless a call was refused by an exception of that
// name, "" being Thrift's own, with a text like that.
func wantRefused(t *testing.T, what string, err error, name, text string) {
	t.Helper()
	got := ""
	if declared, ok := errors.AsType[*driver.Exception](err); ok {
		got = declared.Name
	} else if !errors.As(err, new(interface{ TypeId() int32 })) {
		t.Errorf("%s: %v, want an exception", what, err)
		return
	}
	if got != name || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want %s %q", what, err, name, text)
	}
}

var styles = map[string]driver.Style{"Multiplexed": driver.Multiplexed, "Bare": driver.Bare}

// permissionRefused is how each style is told of a missing permission.
var permissionRefused = map[driver.Style]string{driver.Multiplexed: "PermissionException", driver.Bare: ""}

func TestFront(t *testing.T) {
	t.Parallel()
	t.Run("FromLoginToRevocation", func(t *testing.T) { t.Parallel(); fromLoginToRevocation(t) })
	t.Run("EverySessionsEnd", func(t *testing.T) { t.Parallel(); everySessionsEnd(t) })
	t.Run("WhoHoldsTheLock", func(t *testing.T) { t.Parallel(); whoHoldsTheLock(t) })
	t.Run("PluginKilled", func(t *testing.T) { t.Parallel(); pluginKilledUnderCalls(t) })
	t.Run("UpstreamKilled", func(t *testing.T) { t.Parallel(); upstreamKilled(t) })
	t.Run("NoUpstream", func(t *testing.T) { t.Parallel(); noUpstream(t) })
	t.Run("Stop", func(t *testing.T) { t.Parallel(); stopWithTransactions(t) })
	t.Run("Tools", func(t *testing.T) { t.Parallel(); toolsOfTheOriginal(t) })
	t.Run("Figures", func(t *testing.T) { t.Parallel(); callsAreCounted(t) })
}

// fromLoginToRevocation follows one account from its login on.
func fromLoginToRevocation(t *testing.T) {
	d := openDoor(t)
	for name, style := range styles {
		c := d.enter(style, "jeff-"+strings.ToLower(name))
		for _, method := range []string{"selectRecord", "verifyOrSet", "calculate:sumKey", "navigate:navigateKeyRecord"} {
			if style == driver.Bare && strings.Contains(method, ":") {
				continue
			}
			if err := c.ask(method); err != nil {
				t.Errorf("%s: %s: %v", name, method, err)
			}
		}
		must(d.admin.Revoke(t.Context(), anew, account.Revoke{Username: "jeff-" + strings.ToLower(name), Environment: "billing"}))(t)
		for _, method := range []string{"selectRecord", "verifyOrSet"} { // one that returns something, and one that does not
			wantRefused(t, name+": "+method+" without the grant", c.ask(method), permissionRefused[style], "Insufficient Permission")
		}
		if err := c.Logout(c.token, "billing"); err != nil {
			t.Errorf("%s: the session does not live: %v", name, err)
		}
		wantRefused(t, name+": after the logout", c.ask("selectRecord"), "SecurityException", "Invalid access token")
	}
	for _, call := range d.up.Calls() {
		if call.Method.Name == "login" && strings.Contains(string(call.Bytes), secret) {
			t.Error("a client's password came to the upstream")
		}
	}
	d.left(0, 0)
}

// everySessionsEnd ends a session with an open transaction in every way that
// there is.
func everySessionsEnd(t *testing.T) {
	d := openDoor(t)
	for what, end := range map[string]func(c *visitor, username string) error{
		"suspend": func(_ *visitor, username string) error {
			_, err := d.admin.Suspend(t.Context(), anew, username)
			return err
		},
		"delete": func(_ *visitor, username string) error {
			_, err := d.admin.Delete(t.Context(), anew, account.Delete{Username: username})
			return err
		},
		"disconnect": func(_ *visitor, username string) error {
			_, err := d.admin.DisconnectSession(t.Context(), d.session(username).ID)
			return err
		},
		"logout": func(c *visitor, _ string) error { return c.Logout(c.token, "billing") },
	} {
		c := d.enter(driver.Multiplexed, what)
		c.stage(t)
		d.left(1, 1)
		if err := end(c, what); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		wantRefused(t, "after "+what, c.ask("selectRecord"), "SecurityException", "Invalid access token")
		d.left(0, 0)
	}

	t.Run("LostRight", func(t *testing.T) {
		c := d.enter(driver.Multiplexed, "demoted")
		tx := c.stage(t)
		must(d.admin.Revoke(t.Context(), anew, account.Revoke{Username: "demoted", Environment: "billing"}))(t)
		d.left(0, 1) // the session lives
		if _, err := c.Commit(c.token, tx, "billing"); err == nil {
			t.Error("a transaction whose right was lost is committed")
		}
		c.Close()
	})
	t.Run("LastConnection", func(t *testing.T) {
		c := d.enter(driver.Multiplexed, "gone")
		other := d.connect(driver.Bare, c.token, "billing")
		if err := other.ask("selectRecord"); err != nil {
			t.Fatal(err)
		}
		if n := d.session("gone").Connections; n != 2 {
			t.Errorf("the session has %d connections, want 2", n)
		}
		other.stage(t)
		c.Close()
		hosttest.Await(t, "one connection is left", func() bool { return d.session("gone").Connections == 1 })
		if n := len(d.up.Transactions()); n != 1 {
			t.Errorf("%d transactions are open, want 1", n)
		}
		other.Close()
		hosttest.Await(t, "the transaction is aborted", func() bool { return len(d.up.Transactions()) == 0 })
		if again := d.connect(driver.Multiplexed, c.token, "billing"); again.ask("selectRecord") != nil {
			t.Error("the session ended with its last connection")
		}
	})
}

// session returns the account's only session.
func (d *door) session(username string) account.Session {
	d.t.Helper()
	rows := sessionsOf(d.t, d.h, username)
	if len(rows) != 1 {
		d.t.Fatalf("%s has %d sessions, want one: %+v", username, len(rows), rows)
	}
	return rows[0]
}

// whoHoldsTheLock looks at a session that holds a transaction open, and hangs in
// a call.
func whoHoldsTheLock(t *testing.T) {
	d := openDoor(t)
	c := d.enter(driver.Multiplexed, "holder")
	tx := c.stage(t)
	release := make(chan struct{})
	d.up.Next("addKeyValueRecord", upstream.Until(release, upstream.Usual))
	answered := make(chan error, 1)
	go func() {
		_, err := c.Call("addKeyValueRecord", driver.Call{Token: c.token, Transaction: &tx, Environment: &c.environment})
		answered <- err
	}()
	hosttest.Await(t, "the call is shown", func() bool {
		now := d.session("holder").CurrentCall
		return now != nil && now.Method == "addKeyValueRecord"
	})
	d.enter(driver.Bare, "later").stage(t)
	d.logIn(driver.Bare, "holder") // without one
	byTransaction := management.SessionListing{Order: session.ByTransaction}
	rows := sessionsListed(t, d.h, byTransaction)
	if len(rows) != 4 || rows[0].Username != "holder" || rows[1].Username != "later" || len(rows[2].OpenTransactions)+len(rows[3].OpenTransactions) > 0 {
		t.Fatalf("by transaction they are %+v", rows)
	}
	byTransaction.InTransaction = true
	if only := sessionsListed(t, d.h, byTransaction); len(only) != 2 || only[0].ID != rows[0].ID || only[1].ID != rows[1].ID {
		t.Errorf("in a transaction are %+v", only)
	}
	row := rows[0]
	if len(row.OpenTransactions) != 1 || row.Environment != "billing" || row.Connections != 1 || row.Listener != account.ClientListener || row.Client != "thrift multiplexed" {
		t.Errorf("the session is shown as %+v", row)
	}
	if _, err := d.admin.DisconnectSession(t.Context(), row.ID); err != nil {
		t.Fatal(err)
	}
	d.left(1, 1) // over another connection, while the call still hangs
	close(release)
	<-answered
}

// pluginKilledUnderCalls kills the plugin again and again, within the lease: no
// call notices.
func pluginKilledUnderCalls(t *testing.T) {
	d := openDoor(t, "lease: 60s")
	var callers []*visitor
	for i, style := range []driver.Style{driver.Multiplexed, driver.Bare, driver.Multiplexed} {
		callers = append(callers, d.enter(style, fmt.Sprintf("busy%d", i)))
	}
	over, failed := make(chan struct{}), make(chan error, len(callers))
	for _, c := range callers {
		go func() {
			for {
				select {
				case <-over:
					failed <- nil
					return
				default:
				}
				if err := c.ask("selectRecord"); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range 3 {
		killed := d.h.KillPlugin()
		hosttest.Await(t, "another plugin runs", func() bool { pid := d.h.PluginPID(); return pid != killed })
		served := d.up.Served()
		hosttest.Await(t, "calls go on", func() bool { return d.up.Served() > served+20 })
	}
	close(over)
	for range callers {
		if err := <-failed; err != nil {
			t.Errorf("a call failed: %v", err)
		}
	}
}

// upstreamKilled kills the data server and starts it again.
func upstreamKilled(t *testing.T) {
	d := openDoor(t)
	c := d.enter(driver.Multiplexed, "patient")
	tx := c.stage(t)
	d.up.Kill()
	wantRefused(t, "without the upstream", c.ask("verifyOrSet"), "", "")
	if other := d.logIn(driver.Bare, "patient"); other.token == nil {
		t.Error("a login takes the upstream")
	}
	if err := d.up.Revive(); err != nil {
		t.Fatal(err)
	}
	hosttest.Await(t, "calls are answered again, with the same token", func() bool { return c.ask("selectRecord") == nil })
	_, err := c.Commit(c.token, tx, "billing")
	if err == nil {
		t.Error("a transaction that died with the upstream is committed")
	}
}

func noUpstream(t *testing.T) {
	h := hosttest.Start(t, atFreePort)
	d := &door{t: t, h: h, admin: h.Admin()}
	for name, style := range styles {
		c := d.enter(style, strings.ToLower(name))
		wantRefused(t, name, c.ask("selectRecord"), "", "this host has no data server behind it: the setting upstream.address is empty")
		other := d.connect(style, make([]byte, 32), "billing")
		wantRefused(t, name+" with another token", other.ask("selectRecord"), "SecurityException", "Invalid access token")
	}
}

// stopWithTransactions stops a host while clients are connected, a transaction is
// open and a call is under way.
func stopWithTransactions(t *testing.T) {
	d := openDoor(t)
	idle, busy := d.enter(driver.Multiplexed, "idle"), d.enter(driver.Bare, "busy")
	idle.stage(t)
	plugin := d.h.PluginPID()
	release, answered := make(chan struct{}), make(chan error, 1)
	d.up.Next("selectRecord", upstream.Until(release, upstream.Usual))
	go func() { answered <- busy.ask("selectRecord") }()
	hosttest.Await(t, "the call has come to the upstream", func() bool { return len(d.up.Calls("selectRecord")) == 1 })
	d.admin.Close()
	d.h.Signal(syscall.SIGTERM)
	if err := idle.AwaitClosed(); err != nil {
		t.Errorf("who does nothing: %v", err)
	}
	close(release)
	if err := <-answered; err != nil {
		t.Errorf("a call under way is not answered: %v", err)
	}
	d.h.AwaitStopped()
	if n, m := len(d.up.Transactions()), d.up.Tokens(); n != 0 || m != 0 {
		t.Errorf("%d transactions and %d tokens are left upstream", n, m)
	}
	nothingLeft(t, d.h, plugin)
}

// toolsOfTheOriginal asks the management port.
func toolsOfTheOriginal(t *testing.T) {
	h := hosttest.Start(t, atFreePort, "management.port: 0")
	tool := driver.Dial(t, h.ManagementAddress(), driver.Options{Management: true})
	token, err := tool.Login(hosttest.Administrator, hosttest.Password, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tool.Call("createUser", driver.Call{Token: token, Args: []driver.Arg{{ID: 1, Value: "bob"}, {ID: 2, Value: secret}, {ID: 3, Value: "user"}}}); err != nil {
		t.Fatal(err)
	}
	if bob := show(t, h.Admin(), "bob"); bob.Role != account.User {
		t.Errorf("it made %+v", bob)
	}
	client := driver.Dial(t, h.ClientAddress(), driver.Options{})
	if _, err := client.Login("bob", secret, ""); err != nil {
		t.Errorf("whom it made cannot log in: %v", err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			if c, err := net.Dial("tcp", net.JoinHostPort(n.IP.String(), port(t, h.ManagementAddress()))); err == nil {
				c.Close()
				t.Errorf("it answers at %v", n.IP)
			}
		}
	}
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// callsAreCounted compares the metrics with what became of calls.
func callsAreCounted(t *testing.T) {
	d := openDoor(t, onLoopback)
	s := newScraper(t, d.h)
	c := d.enter(driver.Multiplexed, "counted")
	c.stage(t)
	if err := c.ask("selectRecord"); err != nil {
		t.Fatal(err)
	}
	c.environment = "elsewhere"
	wantRefused(t, "elsewhere", c.ask("selectRecord"), "PermissionException", "")
	for series, want := range map[string]float64{
		"concourse_client_connections":                           1,
		"concourse_client_max_connections":                       10000,
		"concourse_relayed_calls_total":                          2,
		"concourse_relayed_call_failures_total":                  0,
		"concourse_open_transactions":                            1,
		`concourse_call_refusals_total{reason="not_permitted"}`:  1,
		`concourse_call_refusals_total{reason="unavailable"}`:    0,
		`concourse_logins_total{listener="client",outcome="ok"}`: 1,
		`concourse_sessions{listener="client"}`:                  1,
	} {
		s.want(series, want)
	}
	s.await("concourse_upstream_logins_total", "the one at the start, and the session's", is(2))
	d.up.Kill()
	c.environment = "billing"
	wantRefused(t, "without the upstream", c.ask("selectRecord"), "", "")
	s.await("concourse_relayed_call_failures_total", "1", is(1))
	c.Close()
	s.await("concourse_client_connections", "none", is(0))
	s.await("concourse_open_transactions", "none", is(0))
}

func TestClientPort(t *testing.T) {
	t.Parallel()
	t.Run("BothLoopbacks", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t, atFreePort)
		at := port(t, h.ClientAddress())
		for _, network := range []string{"127.0.0.1", "::1"} {
			l, err := net.Listen("tcp", net.JoinHostPort(network, "0"))
			if err != nil {
				continue // the machine lacks it
			}
			l.Close()
			c := driver.Dial(t, net.JoinHostPort(network, at), driver.Options{})
			if _, err := c.Login(hosttest.Administrator, hosttest.Password, ""); err != nil {
				t.Errorf("%s: %v", network, err)
			}
		}
	})
	t.Run("EveryInterface", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t, "client_port: 0")
		c := driver.Dial(t, net.JoinHostPort("127.0.0.1", port(t, h.ClientAddress())), driver.Options{})
		if _, err := c.Login(hosttest.Administrator, hosttest.Password, ""); err != nil {
			t.Error(err)
		}
	})
	t.Run("Off", func(t *testing.T) {
		t.Parallel()
		if log := hosttest.Start(t).Log(); strings.Contains(log, "Clients reach it") {
			t.Errorf("it says that clients reach it:\n%s", log)
		}
	})
	t.Run("ErrTaken", func(t *testing.T) {
		t.Parallel()
		other, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		at := port(t, other.Addr().String())
		for setting, line := range map[string]string{"client.address": "client.address: localhost:" + at, "management.port": "management.port: " + at} {
			h := hosttest.New(t, line)
			out := h.Run("", "start")
			want := "Cannot listen at localhost:" + at + ", see " + setting + ": something else listens there already"
			if out.Code != 1 || !strings.Contains(out.Stderr, want) || out.Stdout != "" {
				t.Errorf("%+v, want %q", out, want)
			}
			nothingLeft(t, h, 0)
			if _, err := os.Stat(filepath.Join(h.Home, "accounts.db")); err == nil {
				t.Error("the plugin was started all the same")
			}
		}
	})
	for name, c := range map[string]struct {
		mode os.FileMode
		text string
		want string
	}{
		"ErrPasswordForAll": {0o644, "x\n", ", see upstream.password_file; run chmod o-r on it"},
		"ErrNoPassword":     {0o600, "\nx\n", ", see upstream.password_file, is empty; it must hold the password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hosttest.New(t, atFreePort, "upstream: localhost:1", "upstream.username: x", "upstream.password_file: up")
			path := filepath.Join(h.Home, "up")
			if err := errors.Join(os.WriteFile(path, []byte(c.text), 0o600), os.Chmod(path, c.mode)); err != nil {
				t.Fatal(err)
			}
			out := h.Run("", "start")
			if out.Code != 2 || !strings.Contains(out.Stderr, c.want) || out.Stdout != "" {
				t.Errorf("%+v, want %q", out, c.want)
			}
			nothingLeft(t, h, 0)
		})
	}
	t.Run("PasswordFile", func(t *testing.T) {
		t.Parallel()
		up := upstream.Start(t, upstream.Options{})
		h := hosttest.New(t, atFreePort, "upstream: "+up.Address(), "upstream.username: "+upstream.Username, "upstream.password_file: up")
		if err := os.WriteFile(filepath.Join(h.Home, "up"), []byte(upstream.Password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.Start()
		d := &door{t, h, up, h.Admin()}
		if err := d.enter(driver.Bare, "jeff").ask("selectRecord"); err != nil {
			t.Error(err)
		}
	})
}
