package gate_test

import (
	"context"
	"slices"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestShow(t *testing.T) {
	f := set(t)
	root := f.root(t)
	f.login(t, "ann")
	a, sessions, err := f.Show(t.Context(), root, "ann")
	if err != nil || a.Username != "ann" || sessions != 1 {
		t.Errorf("got %+v with %d sessions, %v", a, sessions, err)
	}
	_, _, err = f.Show(t.Context(), root, "nobody")
	wantKind(t, "nobody", err, account.KindNotFound, "")
}

func TestList(t *testing.T) {
	f := set(t)
	root := f.root(t)
	var names []string
	var live []int
	err := f.List(t.Context(), root, gate.AccountFilter{}, func(page []account.Account, sessions func(string) int) error {
		for _, a := range page {
			names, live = append(names, a.Username), append(live, sessions(a.Username))
		}
		return nil
	})
	if err != nil || !slices.Equal(names, []string{"ann", "jeff", "root"}) || !slices.Equal(live, []int{0, 0, 1}) {
		t.Errorf("listed %q with %v sessions, %v", names, live, err)
	}
	pages := 0
	err = f.List(t.Context(), root, gate.AccountFilter{}, func([]account.Account, func(string) int) error { pages++; return syscall.EPIPE })
	if err != syscall.EPIPE || pages != 1 {
		t.Errorf("after its reader went away: %d pages, %v", pages, err)
	}
}

func TestCheckPassword(t *testing.T) {
	for name, c := range map[string]struct {
		username, password string
		matches            bool
		kind               account.Kind
		outcome, detail    string
	}{
		"Matches":     {"ann", right, true, 0, audit.OK, "matches"},
		"DoesNot":     {"ann", "a guess", false, 0, audit.OK, "does not match"},
		"ErrNotFound": {"nobody", right, false, account.KindNotFound, "not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := set(t)
			matches, err := f.CheckPassword(t.Context(), f.root(t), account.Password{Username: c.username, Password: account.Secret(c.password)})
			if matches != c.matches || account.KindOf(err) != c.kind {
				t.Errorf("got %v, %v", matches, err)
			}
			if e := f.line(t, audit.CheckPassword); e.Outcome != c.outcome || e.Detail != c.detail || e.Target != c.username {
				t.Errorf("the line says %+v", e)
			}
		})
	}
	t.Run("ErrAuditLog", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		f.disk.fail(syscall.ENOSPC)
		if _, err := f.CheckPassword(t.Context(), root, account.Password{Username: "ann", Password: account.Secret(right)}); err == nil {
			t.Error("answered without a line")
		}
	})
}

// An incident is no time to wait for a plugin.
func TestDisconnect(t *testing.T) {
	silent := func(context.Context, string) (bool, error) {
		return false, account.Unavailable("the plugin does not answer")
	}
	t.Run("Account", func(t *testing.T) {
		f := set(t)
		root, jeff, again, ann := f.root(t), f.login(t, "jeff"), f.login(t, "jeff"), f.login(t, "ann")
		f.plugin.exists = silent
		ended, err := f.DisconnectAccount(t.Context(), root, "jeff")
		if err != nil || ended != 2 || f.live(jeff) || f.live(again) || !f.live(ann) {
			t.Errorf("%d ended, %v; live: %v %v %v", ended, err, f.live(jeff), f.live(again), f.live(ann))
		}
		if e := f.line(t, audit.Disconnect); e.Target != "jeff" || e.Count != 2 || e.Outcome != audit.OK || e.Caller.Username != "root" {
			t.Errorf("the line says %+v", e)
		}
	})
	t.Run("Session", func(t *testing.T) {
		f := set(t)
		root, jeff, again := f.root(t), f.login(t, "jeff"), f.login(t, "jeff")
		f.plugin.exists = silent
		ended, err := f.DisconnectSession(t.Context(), root, jeff.ID())
		if err != nil || ended != 1 || f.live(jeff) || !f.live(again) {
			t.Errorf("%d ended, %v; live: %v %v", ended, err, f.live(jeff), f.live(again))
		}
		if e := f.line(t, audit.Disconnect); e.Target != jeff.ID() || e.Count != 1 {
			t.Errorf("the line says %+v", e)
		}
		_, err = f.DisconnectSession(t.Context(), root, jeff.ID())
		wantKind(t, "again", err, account.KindNotFound, "")
	})
	t.Run("NobodyConnected", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		if ended, err := f.DisconnectAccount(t.Context(), root, "ann"); ended != 0 || err != nil {
			t.Errorf("an account without sessions: %d, %v", ended, err)
		}
		_, err := f.DisconnectAccount(t.Context(), root, "nobody")
		wantKind(t, "no account", err, account.KindNotFound, "")
		f.plugin.exists = silent
		_, err = f.DisconnectAccount(t.Context(), root, "ann")
		wantKind(t, "nobody can say", err, account.KindUnavailable, "")
	})
}
