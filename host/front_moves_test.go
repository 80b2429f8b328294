package host_test

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestFrontMoves shows what clients are told while the parts around them change,
// stop, die and come back.
func TestFrontMoves(t *testing.T) {
	t.Parallel()
	t.Run("Credentials", func(t *testing.T) { t.Parallel(); credentialsChange(t) })
	t.Run("CommandLine", func(t *testing.T) { t.Parallel(); commandLineAtWork(t) })
	t.Run("OldVoidCalls", func(t *testing.T) { t.Parallel(); oldVoidCalls(t) })
	t.Run("ChangedWhilePluginDies", func(t *testing.T) { t.Parallel(); changedWhilePluginDies(t) })
	t.Run("PastTheLease", func(t *testing.T) { t.Parallel(); transactionPastTheLease(t) })
	t.Run("UpstreamAndHostRestarted", func(t *testing.T) { t.Parallel(); upstreamAndHostRestarted(t) })
}

// credentialsChange changes an account's password and role: all its sessions are
// over when the change is answered, and what they had open goes.
func credentialsChange(t *testing.T) {
	d := openDoor(t)
	const other = "another for some time"
	for what, c := range map[string]struct {
		change   change
		password string // after it
	}{
		"password": {setPassword(other), other},
		"role":     {setRole(account.Admin), secret},
		"both":     {setBoth(account.Admin, other), other},
	} {
		visitors := []*visitor{d.enter(driver.Multiplexed, what), d.logIn(driver.Bare, what)}
		for _, v := range visitors {
			v.stage(t)
		}
		d.left(2, 2)
		must(c.change(t.Context(), d.admin, anew, what))(t)
		for _, v := range visitors {
			wantRefused(t, "after the change of "+what, v.ask("verifyOrSet"), "SecurityException", "Invalid access token")
		}
		d.left(0, 0)
		again := visitors[0]
		if c.password != secret {
			_, err := again.Login(what, secret, "billing")
			wantRefused(t, what+": the password before", err, "SecurityException", "Invalid username/password combination.")
		}
		var err error
		if again.token, err = again.Login(what, c.password, "billing"); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := again.ask("verifyOrSet"); err != nil {
			t.Errorf("%s: after another login: %v", what, err)
		}
		if err := again.Logout(again.token, "billing"); err != nil {
			t.Error(err)
		}
		d.left(0, 0)
	}
}

// commandLineAtWork finds out who hangs in a call with a transaction open, takes
// a permission away and ends a session, as an administrator does.
func commandLineAtWork(t *testing.T) {
	d := openDoor(t)
	began := time.Now()
	v := d.enter(driver.Bare, "holder")
	shared := d.connect(driver.Multiplexed, v.token, "billing") // the same token, another connection
	if err := shared.ask("selectRecord"); err != nil {
		t.Fatal(err)
	}
	tx := v.stage(t)
	release, answered := make(chan struct{}), make(chan error, 1)
	d.up.Next("verifyOrSet", upstream.Until(release, upstream.Usual))
	go func() {
		_, err := v.Call("verifyOrSet", driver.Call{Token: v.token, Transaction: &tx, Environment: &v.environment})
		answered <- err
	}()
	hosttest.Await(t, "the call has come to the upstream", func() bool { return len(d.up.Calls("verifyOrSet")) == 1 })

	row := d.listed("holder")
	if row.Listener != "client" || row.Environment != "billing" || row.Client != "thrift" || row.Connections != 2 || row.Role != "USER" {
		t.Errorf("the session is listed as %+v", row)
	}
	since := func(what string, at time.Time) {
		if at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%s since %v, want a moment after %v", what, at, began)
		}
	}
	if row.CurrentCall == nil || row.CurrentCall.Method != "verifyOrSet" {
		t.Errorf("the call under way is %+v", row.CurrentCall)
	} else {
		since("it runs", row.CurrentCall.Since)
	}
	if len(row.OpenTransactions) != 1 || row.OpenTransactions[0].ID == "" {
		t.Errorf("the open transactions are %+v", row.OpenTransactions)
	} else {
		since("it is open", row.OpenTransactions[0].Since)
	}

	d.run("users", "revoke", "holder", "--environment", "billing")
	wantRefused(t, "without the grant", shared.ask("selectRecord"), "PermissionException", "Insufficient Permission")
	if now := d.listed("holder"); now.ID != row.ID {
		t.Errorf("the session is another: %+v", now)
	}
	d.left(0, 1) // the transaction is aborted, over another connection, while the call still hangs
	close(release)
	wantRefused(t, "in a transaction that was aborted", <-answered, "", "Internal error processing verifyOrSet")
	d.run("users", "disconnect", "--session", row.ID)
	wantRefused(t, "after the disconnect", shared.ask("selectRecord"), "SecurityException", "Invalid access token")
	wantRefused(t, "on the other connection", v.ask("verifyOrSet"), "SecurityException", "Invalid access token")
	d.left(0, 0)
}

// listedSession is what scripts read of a session.
type listedSession struct {
	ID, Role, Listener, Client, Environment string
	Connections                             int
	CurrentCall                             *struct {
		Method string
		Since  time.Time
	} `json:"current_call"`
	OpenTransactions []struct {
		ID    string
		Since time.Time
	} `json:"open_transactions"`
}

// listed returns the account's only session, as the command line lists it.
func (d *door) listed(username string) listedSession {
	d.t.Helper()
	var rows []listedSession
	out := d.run("users", "sessions", "--account", username, "--format", "json")
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 1 {
		d.t.Fatalf("%v, want one session of %s:\n%s", err, username, out)
	}
	return rows[0]
}

// run runs a command that must succeed, and returns its output.
func (d *door) run(args ...string) string {
	d.t.Helper()
	out := d.h.Run("", args...)
	if out.Code != 0 {
		d.t.Fatalf("%v: %+v", args, out)
	}
	return out.Stdout
}

// oldVoidCalls makes every call that returns nothing, as an old driver that takes
// what it does not know for success: whyever it is refused, the driver notices.
func oldVoidCalls(t *testing.T) {
	d := openDoor(t)
	v := d.enter(driver.Bare, "old")
	var void []*methods.Method
	methods.Each(func(m *methods.Method) {
		if m.Service == "core" && m.Void && m.Access >= methods.Read {
			void = append(void, m)
		}
	})
	if len(void) < 10 {
		t.Fatalf("there are only %d such methods", len(void))
	}
	all := func(why, name, text string) {
		t.Helper()
		d.up.Forget()
		for _, m := range void {
			wantRefused(t, m.Name+" "+why, v.ask(m.Name), name, text)
		}
		for _, call := range d.up.Calls() {
			if call.Method != nil && call.Method.Void && call.Method.Access >= methods.Read {
				t.Errorf("%s %s came to the upstream", call.Name, why)
			}
		}
	}
	for _, m := range void {
		if err := v.ask(m.Name); err != nil {
			t.Errorf("%s with the grant: %v", m.Name, err)
		}
	}
	must(d.admin.Revoke(t.Context(), anew, account.Revoke{Username: "old", Environment: "billing"}))(t)
	all("without the grant", "", "Insufficient Permission")
	must(d.admin.Grant(t.Context(), anew, account.Grant{Username: "old", Permission: account.Write, Environment: "billing"}))(t)
	d.up.Kill()
	all("without the upstream", "", "the data server cannot be reached")
	if err := v.Logout(v.token, "billing"); err != nil {
		t.Fatal(err)
	}
	all("after the logout", "SecurityException", "Invalid access token")
}

// changedWhilePluginDies takes a permission away and gives it back while the
// plugin is killed and clients never rest: a call between two changes is answered
// by the one before it, and by nothing else.
func changedWhilePluginDies(t *testing.T) {
	d := openDoor(t, "lease: 60s")
	visitors := map[driver.Style]*visitor{driver.Multiplexed: d.enter(driver.Multiplexed, "jeff"), driver.Bare: d.logIn(driver.Bare, "jeff")}
	const granted, revoked, steps = 0, 2, 4 // a change is under way at the odd ones
	var step, answered atomic.Int64         // answered counts calls that began and ended within a step
	var callers sync.WaitGroup
	var over atomic.Bool
	for style, v := range visitors {
		callers.Go(func() {
			for !over.Load() && !t.Failed() {
				during := step.Load()
				err := v.ask("verifyOrSet")
				if step.Load() != during {
					continue // it may be answered either way
				}
				switch during % steps {
				case granted:
					if err != nil {
						t.Errorf("with the grant: %v", err)
					}
				case revoked:
					wantRefused(t, "without the grant", err, permissionRefused[style], "Insufficient Permission")
				}
				answered.Add(1)
			}
		})
	}
	settle := func() {
		t.Helper()
		step.Add(1)
		enough := answered.Load() + 10
		hosttest.Await(t, "calls are answered", func() bool { return t.Failed() || answered.Load() >= enough })
	}
	d.h.KillPlugin()
	step.Add(1)
	must(d.admin.Revoke(t.Context(), anew, account.Revoke{Username: "jeff", Environment: "billing"}))(t)
	settle()
	d.h.KillPlugin()
	step.Add(1)
	must(d.admin.Grant(t.Context(), anew, account.Grant{Username: "jeff", Permission: account.Write, Environment: "billing"}))(t)
	settle()
	over.Store(true)
	callers.Wait()
	d.h.KillPlugin()
	must(d.admin.Suspend(t.Context(), anew, "jeff"))(t)
	for _, v := range visitors {
		wantRefused(t, "after the suspension", v.ask("verifyOrSet"), "SecurityException", "Invalid access token")
	}
	_, err := visitors[driver.Bare].Login("jeff", secret, "billing")
	wantRefused(t, "a login", err, "SecurityException", "Cannot issue a token for a user whose access has been disabled")
	d.left(0, 0)
}

// transactionPastTheLease stops the plugin for longer than a short lease while
// transactions are open: nobody can use or end them, or begin others, and then
// they go on as they were.
func transactionPastTheLease(t *testing.T) {
	d := openDoor(t, "lease: 2s", "lease_wait: 500ms")
	const outOfTouch = "the host is out of touch with the store of accounts; try again in a moment"
	visitors := []*visitor{d.enter(driver.Multiplexed, "new"), d.enter(driver.Bare, "old")}
	var open []driver.Transaction
	for _, v := range visitors {
		open = append(open, v.stage(t))
	}
	for i, v := range visitors {
		for what, ask := range map[string]func() error{
			"a call": func() error {
				_, err := v.Call("verifyOrSet", driver.Call{Token: v.token, Transaction: &open[i], Environment: &v.environment})
				return err
			},
			"another transaction": func() error {
				tx, err := v.Stage(v.token, v.environment)
				if err == nil { // within the lease
					err = v.Abort(v.token, tx, v.environment)
				}
				return err
			},
		} {
			var err error
			hosttest.Await(t, what+" is refused", func() bool {
				d.h.StopPlugin() // again and again: it may have been replaced
				err = ask()
				return err != nil
			})
			wantRefused(t, what+" past the lease", err, "", outOfTouch)
		}
	}
	d.h.SignalPlugin(syscall.SIGCONT)
	for i, v := range visitors {
		hosttest.Await(t, "the transaction is committed", func() bool {
			committed, err := v.Commit(v.token, open[i], v.environment)
			if err != nil {
				wantRefused(t, "until then", err, "", outOfTouch)
			}
			return committed || t.Failed()
		})
	}
}

// upstreamAndHostRestarted kills the data server under calls, and then stops the
// host and starts it again.
func upstreamAndHostRestarted(t *testing.T) {
	d := openDoor(t)
	var visitors []*visitor
	both, name := []driver.Style{driver.Multiplexed, driver.Bare}, map[driver.Style]string{driver.Multiplexed: "new", driver.Bare: "old"}
	for _, style := range both {
		visitors = append(visitors, d.enter(style, name[style]))
	}
	d.up.Always("verifyOrSet", upstream.Hang)
	answered := make(chan error, len(visitors))
	for _, v := range visitors {
		go func() { answered <- v.ask("verifyOrSet") }()
	}
	hosttest.Await(t, "the calls have come to the upstream", func() bool { return len(d.up.Calls("verifyOrSet")) == len(visitors) })
	d.up.Kill()
	for range visitors {
		wantRefused(t, "under way when the upstream died", <-answered, "", "the data server's answer got lost; whether the call took effect is unknown")
	}
	d.up.Always("verifyOrSet", nil)
	for _, v := range visitors {
		wantRefused(t, "without the upstream", v.ask("verifyOrSet"), "", "the data server cannot be reached; try again in a moment")
	}
	if err := d.up.Revive(); err != nil {
		t.Fatal(err)
	}
	for _, v := range visitors {
		hosttest.Await(t, "calls are served again", func() bool { return v.ask("verifyOrSet") == nil })
	}
	tx := visitors[0].stage(t)
	d.left(1, 2)

	d.admin.Close()
	d.h.Stop()
	d.left(0, 0)
	d.h.Start()
	for i, style := range both {
		v := d.connect(style, visitors[i].token, "billing") // at another port
		wantRefused(t, "a token of the host before", v.ask("verifyOrSet"), "SecurityException", "Invalid access token")
		var err error
		if v.token, err = v.Login(name[style], secret, "billing"); err != nil {
			t.Fatal(err)
		}
		if err := v.ask("verifyOrSet"); err != nil {
			t.Errorf("after another login: %v", err)
		}
		if style == driver.Multiplexed { // as the Java driver does, which keeps its transaction
			_, err := v.Commit(v.token, tx, "billing")
			wantRefused(t, "a transaction of the host before", err, "TransactionException", "")
		}
	}
}
