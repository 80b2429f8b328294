package host_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule5KnowledgeHasALease shows that the host trusts what it knows for as
// long as the lease and no longer, that a plugin's restart within it costs
// sessions nothing, and that another store ends them all.
func TestRule5KnowledgeHasALease(t *testing.T) {
	t.Parallel()
	t.Run("PastIt", func(t *testing.T) { t.Parallel(); pastTheLease(t) })
	t.Run("RestartsWithinIt", func(t *testing.T) { t.Parallel(); restartsWithinTheLease(t) })
	t.Run("StoreReplaced", func(t *testing.T) { t.Parallel(); storeReplaced(t) })
}

// pastTheLease stops the plugin for longer than a short lease: calls and logins
// wait, are refused, and work again with the plugin, the session being the same.
// The plugin is continued the first time; the second time the supervisor finds
// it hanging and replaces it.
func pastTheLease(t *testing.T) {
	h := hosttest.Start(t, "lease: 1s", "lease_wait: 200ms")
	admin := h.Admin()
	for _, wake := range []bool{true, false} {
		for what, ask := range map[string]func() error{
			"a call": func() error { _, err := admin.Request(t.Context()); return err },
			"a login": func() error {
				c, err := h.Login(hosttest.Administrator, hosttest.Password)
				if err == nil {
					c.Close()
				}
				return err
			},
		} {
			var err error
			var took time.Duration
			hosttest.Await(t, what+" is refused", func() bool {
				h.StopPlugin() // again and again: it may have been replaced
				began := time.Now()
				err = ask()
				took = time.Since(began)
				return err != nil
			})
			wantKind(t, what, err, account.KindUnavailable, account.ReasonPastLease)
			if took > 30*time.Second { // far from a bound that is missed, and from a busy machine
				t.Errorf("%s waited for %v, with a bound of 200ms", what, took)
			}
			if wake {
				h.SignalPlugin(syscall.SIGCONT)
			}
			hosttest.Await(t, "calls are let in again", func() bool { return admitted(t, admin) })
		}
		if _, err := admin.Show(t.Context(), hosttest.Administrator); err != nil {
			t.Errorf("the session is not what it was: %v", err)
		}
		h.Admin()
	}
}

// admitted reports whether a call is let in; the only other answer may be that
// the host is out of touch.
func admitted(t *testing.T, c *management.Client) bool {
	t.Helper()
	_, err := c.Request(t.Context())
	if err != nil && account.ReasonOf(err) != account.ReasonPastLease {
		t.Fatal(err)
	}
	return err == nil
}

// restartsWithinTheLease kills the plugin under sessions that never rest: not
// one call of theirs fails.
func restartsWithinTheLease(t *testing.T) {
	h := hosttest.Start(t)
	var sessions sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		c := h.Admin()
		sessions.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				if _, err := c.Request(t.Context()); err != nil {
					t.Errorf("call %d, which the host answers: %v", n, err)
					return
				}
				if _, err := c.Show(t.Context(), hosttest.Administrator); err != nil {
					t.Errorf("call %d, which the plugin answers: %v", n, err)
					return
				}
			}
		})
	}
	before := h.PluginPID()
	for range 4 {
		pid := h.KillPlugin()
		hosttest.Await(t, "another plugin runs", func() bool { return h.PluginPID() != pid })
	}
	close(done)
	sessions.Wait()
	if now := h.PluginPID(); now == before {
		t.Error("the plugin was not replaced")
	}
	if rows := sessionsOf(t, h, hosttest.Administrator); len(rows) != 4 {
		t.Errorf("there are %d sessions, want 4", len(rows))
	}
}

// storeReplaced puts another store's file into the place of the host's while
// the plugin is stopped, so that the next plugin opens it.
func storeReplaced(t *testing.T) {
	other := hosttest.Start(t)
	other.Stop()
	h := hosttest.Start(t)
	sessions := []*management.Client{h.Admin(), h.Admin()}
	h.StopPlugin()
	if err := os.Rename(filepath.Join(other.Home, "accounts.db"), filepath.Join(h.Home, "accounts.db")); err != nil {
		t.Fatal(err)
	}
	h.KillPlugin()
	hosttest.Await(t, "every session has ended", func() bool { return len(sessionsOf(t, h, "")) == 0 })
	for _, c := range sessions {
		_, err := c.Request(t.Context())
		wantKind(t, "a session of the store before", err, account.KindNotAuthenticated, "")
	}
	h.Admin()
}
