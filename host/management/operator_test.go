package management_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

var everySession management.SessionListing

// control is a double of the plugin's supervisor.
type control struct {
	reload func(context.Context) error
}

func (control) Status() management.PluginStatus {
	return management.PluginStatus{State: "running", Name: "double", PID: 42, StartedAt: time.Unix(1, 0), Capabilities: []string{"a"}}
}

func (c control) Reload(ctx context.Context) error { return c.reload(ctx) }

func TestOperatorAdmits(t *testing.T) {
	const owner = 1000
	o := management.NewOperator(management.Options{Owner: owner, Plugin: control{}})
	for uid, want := range map[int]account.Kind{0: 0, owner: 0, owner + 1: account.KindNotPermitted, nobody: account.KindNotPermitted, -1: account.KindNotPermitted} {
		_, err := o.PluginStatus(management.From(t.Context(), uid), &managementv1.PluginStatusRequest{})
		if account.KindOf(err) != want || err != nil && account.ReasonOf(err) != account.ReasonNeedsOperator {
			t.Errorf("uid %d: %v", uid, err)
		}
	}
	_, err := o.PluginStatus(t.Context(), &managementv1.PluginStatusRequest{})
	expectKind(t, err, account.KindNotPermitted, "uid 1000")
}

// A member of the socket's group gets in with an account, and gets nothing
// without one.
func TestOperatorOfAnotherUser(t *testing.T) {
	t.Parallel()
	if !asRoot(t) {
		return
	}
	reloads := 0
	f := run(t, page{}, control{reload: func(context.Context) error { reloads++; return nil }}, nobody)
	f.table.Heartbeat("store", 0, time.Now())
	const refused = "not_permitted/NEEDS_OPERATOR"
	want := visited{UID: nobody, Row: "uid:65534", Sessions: refused, Status: refused, Reload: refused, Familiar: "invalid_argument", Strange: "unavailable"}
	if got := sendStranger(t, f.path); got != want {
		t.Errorf("a stranger of the group got %+v, want %+v", got, want)
	}
	if reloads != 0 {
		t.Error("the plugin was reloaded")
	}
}

func TestPluginStatus(t *testing.T) {
	f := run(t, page{}, control{}, -1)
	f.table.Heartbeat("store", 0, time.Now())
	s, err := f.client(t).PluginStatus(t.Context())
	if err != nil || s.State != "running" || s.Name != "double" || s.PID != 42 || !s.StartedAt.Equal(time.Unix(1, 0)) || len(s.Capabilities) != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestPluginReload(t *testing.T) {
	audited := func(t *testing.T, f *fixture) audit.Entry {
		t.Helper()
		var all []audit.Entry
		for e, err := range audit.Read(filepath.Join(filepath.Dir(f.path), "audit"), time.Time{}) {
			if err == nil && e.Event == audit.PluginReload {
				all = append(all, e)
			}
		}
		if len(all) != 1 || all[0].Caller == nil || all[0].Caller.UID == nil || int(*all[0].Caller.UID) != os.Geteuid() || all[0].Caller.PID != os.Getpid() {
			t.Fatalf("lines: %+v", all)
		}
		return all[0]
	}
	for name, c := range map[string]struct {
		err     error
		kind    account.Kind
		outcome string
	}{
		"OK":             {nil, 0, audit.OK},
		"ErrUnavailable": {account.Unavailable("it does not come up"), account.KindUnavailable, "unavailable"},
		"ErrInternal":    {errors.New("a secret"), account.KindInternal, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			f := run(t, page{}, control{reload: func(context.Context) error { return c.err }}, -1)
			f.table.Heartbeat("store", 0, time.Now())
			s, err := f.client(t).PluginReload(t.Context())
			if account.KindOf(err) != c.kind || c.err == nil && s.PID != 42 {
				t.Errorf("got %+v, %v", s, err)
			}
			if e := audited(t, f); e.Outcome != c.outcome {
				t.Errorf("the line says %+v", e)
			}
		})
	}
	// What an operator has begun goes on if the operator goes away.
	t.Run("WithoutItsCaller", func(t *testing.T) {
		ctx, giveUp := context.WithCancel(t.Context())
		given := make(chan error, 1)
		f := run(t, page{}, control{reload: func(ctx context.Context) error {
			giveUp()
			time.Sleep(50 * time.Millisecond) // for the host to hear of it, if it listened
			given <- ctx.Err()
			return nil
		}}, -1)
		f.table.Heartbeat("store", 0, time.Now())
		c := f.client(t)
		if _, err := c.PluginReload(ctx); account.KindOf(err) != account.KindInterrupted {
			t.Errorf("its caller got %v", err)
		}
		if err := <-given; err != nil {
			t.Errorf("the reload was given up: %v", err)
		}
		f.stopped(t)
		if e := audited(t, f); e.Outcome != audit.OK {
			t.Errorf("the line says %+v", e)
		}
	})
}
