package gate_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	lease       = time.Hour
	leaseWait   = 5 * time.Second
	callTimeout = 30 * time.Second
)

// fixture is a gate with everything real but the plugin.
type fixture struct {
	*gate.Gate
	plugin *double
	stop   context.CancelFunc // ends Stopping
	disk   *disk
	path   string // of the audit log
}

// disk counts the syncs of the audit log, and fails writes if it is told to.
type disk struct {
	syncs atomic.Int64
	fault atomic.Pointer[error]
}

func (d *disk) fail(err error) { d.fault.Store(&err) }
func (d *disk) mend()          { d.fault.Store(nil) }

type auditFile struct {
	*os.File
	disk *disk
}

func (f auditFile) Write(b []byte) (int, error) {
	if err := f.disk.fault.Load(); err != nil {
		return 0, *err
	}
	return f.File.Write(b)
}

func (f auditFile) Sync() error {
	f.disk.syncs.Add(1)
	return f.File.Sync()
}

// set makes a gate whose plugin has the administrators root and jeff, and the
// user ann.
func set(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{disk: &disk{}, path: filepath.Join(t.TempDir(), "audit", "audit.jsonl")}
	f.plugin = newDouble(
		account.Account{Username: "root", Role: account.Admin},
		account.Account{Username: "jeff", Role: account.Admin},
		account.Account{Username: "ann", Role: account.User},
	)
	log, err := audit.Open(f.path, audit.Options{OpenFile: func(path string) (audit.File, error) {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		return auditFile{file, f.disk}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	table := session.New(session.Options{Host: "h", Lease: lease})
	table.Heartbeat("store", 0, time.Now())
	stopping, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	f.stop = stop
	f.Gate = &gate.Gate{
		Users: f.plugin, Table: table, Throttle: throttle.New(throttle.Options{}), Audit: log,
		Logger: hclog.NewNullLogger(), Host: "h", DefaultEnvironment: "plain",
		CallTimeout: callTimeout, LeaseWait: leaseWait, Stopping: stopping,
	}
	return f
}

var (
	local  = gate.Origin{Listener: account.ManagementListener, RemoteAddress: "uid:1000", Local: true, UID: 1000, PID: 4711}
	remote = gate.Origin{Listener: account.ClientListener, RemoteAddress: "192.0.2.7:4711", Client: "test"}
)

// login logs in from far away.
func (f *fixture) login(t *testing.T, username string) gate.Login {
	t.Helper()
	l, err := f.Login(t.Context(), remote, username, account.Secret(right))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// root is an administrator in a call.
func (f *fixture) root(t *testing.T) gate.Caller {
	t.Helper()
	l, err := f.Login(t.Context(), local, "root", account.Secret(right))
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Admit(t.Context(), l.Token, local, "Test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Done)
	return c
}

// live reports whether a login's token is accepted.
func (f *fixture) live(l gate.Login) bool {
	_, err := f.Table.Check(l.Token)
	return err == nil
}

// lines returns what the audit log says of an event.
func (f *fixture) lines(t *testing.T, event audit.Event) (all []audit.Entry) {
	t.Helper()
	for e, err := range audit.Read(f.path, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Event == event {
			all = append(all, e)
		}
	}
	return all
}

// line returns the only line of an event.
func (f *fixture) line(t *testing.T, event audit.Event) audit.Entry {
	t.Helper()
	all := f.lines(t, event)
	if len(all) != 1 {
		t.Fatalf("%d lines of %s, want one: %+v", len(all), event, all)
	}
	return all[0]
}

func wantKind(t *testing.T, what string, err error, kind account.Kind, reason account.Reason) {
	t.Helper()
	if account.KindOf(err) != kind || account.ReasonOf(err) != reason {
		t.Errorf("%s: %v (kind %v, reason %q), want kind %v, reason %q", what, err, account.KindOf(err), account.ReasonOf(err), kind, reason)
	}
}

func TestAdmit(t *testing.T) {
	t.Run("Administrator", func(t *testing.T) {
		f := set(t)
		l := f.login(t, "root")
		c, err := f.Admit(t.Context(), l.Token, local, "Show")
		if err != nil || c.Session.ID() != l.ID() || c.Origin != local {
			t.Fatalf("let in %+v, %v", c, err)
		}
		_, batches := f.Table.List(session.Listing{})
		for rows := range batches {
			if call := rows[0].CurrentCall; call == nil || call.Method != "Show" {
				t.Errorf("during the call its row says %+v", call)
			}
		}
		c.Done()
		_, batches = f.Table.List(session.Listing{})
		for rows := range batches {
			if rows[0].CurrentCall != nil || rows[0].Calls != 1 {
				t.Errorf("after the call its row says %+v", rows[0])
			}
		}
	})
	t.Run("ErrNeedsAdmin", func(t *testing.T) {
		f := set(t)
		_, err := f.Admit(t.Context(), f.login(t, "ann").Token, local, "Test")
		wantKind(t, "a USER", err, account.KindNotPermitted, account.ReasonNeedsAdmin)
	})
	t.Run("ErrNotAuthenticated", func(t *testing.T) {
		f := set(t)
		l := f.login(t, "root")
		f.Close(l)
		for what, token := range map[string]session.Token{"no token": {}, "a session that was closed": l.Token} {
			_, err := f.Admit(t.Context(), token, local, "Test")
			wantKind(t, what, err, account.KindNotAuthenticated, "")
		}
	})
}

// A client's call takes a client's session; an administrator's on another listener
// takes either.
func TestAdmit_Listeners(t *testing.T) {
	f := set(t)
	client := gate.Origin{Listener: account.ClientListener, RemoteAddress: "10.0.0.1:1"}
	given := map[account.Listener]gate.Login{}
	for _, o := range []gate.Origin{local, client} {
		l, err := f.Login(t.Context(), o, "root", account.Secret(right))
		if err != nil {
			t.Fatal(err)
		}
		given[o.Listener] = l
	}
	for listener, want := range map[account.Listener]account.Kind{account.ClientListener: 0, account.ManagementListener: account.KindNotAuthenticated} {
		token := given[listener].Token
		for name, admit := range map[string]func() (gate.Caller, error){
			"AdmitClient": func() (gate.Caller, error) { return f.AdmitClient(t.Context(), token, client, "Test", gate.Need{}) },
			"Admit":       func() (gate.Caller, error) { return f.Admit(t.Context(), token, client, "Test") },
		} {
			c, err := admit()
			if account.KindOf(err) != want {
				t.Errorf("%s of a session of the listener %s: %v", name, listener, err)
			}
			if err == nil {
				c.Done()
			}
		}
		c, err := f.Admit(t.Context(), token, local, "Test")
		if err != nil {
			t.Errorf("a session of the listener %s: %v", listener, err)
			continue
		}
		c.Done()
	}
}

func TestAdmitPastTheLease(t *testing.T) {
	t.Run("ErrPastLease", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			l := f.login(t, "root")
			time.Sleep(lease)
			began := time.Now()
			_, err := f.Admit(t.Context(), l.Token, local, "Test")
			wantKind(t, "past the lease", err, account.KindUnavailable, account.ReasonPastLease)
			if took := time.Since(began); took != leaseWait {
				t.Errorf("refused after %v, want %v", took, leaseWait)
			}
		})
	})
	t.Run("LetInWithTheHeartbeat", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			l := f.login(t, "root")
			time.Sleep(lease)
			began := time.Now()
			time.AfterFunc(leaseWait/2, func() { f.Table.Heartbeat("store", 0, time.Now()) })
			c, err := f.Admit(t.Context(), l.Token, local, "Test")
			if err != nil || time.Since(began) != leaseWait/2 {
				t.Fatalf("%v, after %v", err, time.Since(began))
			}
			c.Done()
		})
	})
	t.Run("ErrNotAuthenticatedByAnotherStore", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			l := f.login(t, "root")
			time.Sleep(lease)
			time.AfterFunc(leaseWait/2, func() { f.Table.Heartbeat("another", 0, time.Now()) })
			_, err := f.Admit(t.Context(), l.Token, local, "Test")
			wantKind(t, "a token of the store before", err, account.KindNotAuthenticated, "")
		})
	})
	// A dead token is told at once: it will not be good with the lease either.
	t.Run("ErrNotAuthenticatedAtOnce", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			time.Sleep(lease)
			began := time.Now()
			_, err := f.Admit(t.Context(), session.Token{}, local, "Test")
			wantKind(t, "no token", err, account.KindNotAuthenticated, "")
			if took := time.Since(began); took != 0 {
				t.Errorf("it took %v", took)
			}
		})
	})
}
