package gate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestLogin(t *testing.T) {
	t.Run("WritesItsLine", func(t *testing.T) {
		f := set(t)
		l, err := f.Login(t.Context(), local, "root", account.Secret(right))
		if err != nil {
			t.Fatal(err)
		}
		c := f.line(t, audit.Login).Caller
		if c == nil || c.Username != "root" || c.AccountID != "id of root" || c.SessionID != l.ID() || c.UID == nil || *c.UID != 1000 ||
			c.PID != 4711 || c.RemoteAddress != "uid:1000" || c.Listener != account.ManagementListener {
			t.Errorf("the line says %+v", c)
		}
	})
	t.Run("TellsHowItEnded", func(t *testing.T) {
		f := set(t)
		var ends []string
		f.LoginEnded = func(l account.Listener, refusal error) {
			ends = append(ends, fmt.Sprint(l, " ", account.KindOf(refusal)))
		}
		f.Login(t.Context(), local, "root", account.Secret(right))
		f.Login(t.Context(), remote, "root", account.Secret("wrong"))
		f.Login(t.Context(), local, "ann", account.Secret(right))
		f.disk.fail(syscall.ENOSPC)
		f.Login(t.Context(), remote, "root", account.Secret(right))
		if diff := cmp.Diff([]string{
			fmt.Sprint("management ", account.Kind(0)), "client not_authenticated", "management not_permitted", "client unavailable",
		}, ends); diff != "" {
			t.Error(diff)
		}
	})
	// Without its line there is no login.
	t.Run("ErrAuditLog", func(t *testing.T) {
		f := set(t)
		f.disk.fail(syscall.ENOSPC)
		_, err := f.Login(t.Context(), remote, "root", account.Secret(right))
		wantKind(t, "without its line", err, account.KindUnavailable, "")
		if n := f.Table.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		f.disk.mend()
		f.login(t, "root")
	})
	// A log that is broken for good refuses before anything is done.
	t.Run("ErrAuditLogBroken", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		refusesAfter(t, f, root, syscall.EIO)
	})
	// A full disk does so too, but for the change that finds it full, until there
	// is room again.
	t.Run("ErrAuditLogFull", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		refusesAfter(t, f, root, syscall.ENOSPC)
		f.disk.mend()
		if _, err := f.Enable(t.Context(), root, anew, "jeff"); err != nil {
			t.Errorf("with room again: %v", err)
		}
	})
	// Whatever else owes a line says why it gives no answer.
	t.Run("ErrAuditLogOfLooks", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		f.plugin.export = func(string) ([]account.Exported, string, error) { return nil, "", nil }
		f.disk.fail(syscall.ENOSPC)
		for what, ask := range map[string]func() error{
			"export": func() error {
				return f.Export(t.Context(), root, func([]account.Exported) error { t.Error("a hash left"); return nil })
			},
			"check": func() error {
				_, err := f.CheckPassword(t.Context(), root, account.Password{Username: "jeff", Password: account.Secret(right)})
				return err
			},
			"disconnect": func() error { _, err := f.DisconnectAccount(t.Context(), root, "jeff"); return err },
			"backup":     func() error { return f.BackupAsked(local, nil) },
			"reload":     func() error { return f.PluginReloadAsked(local, nil) },
		} {
			wantKind(t, what, ask(), account.KindUnavailable, "")
		}
	})
	t.Run("ErrNeedsAdmin", func(t *testing.T) {
		f := set(t)
		_, err := f.Login(t.Context(), local, "ann", account.Secret(right))
		wantKind(t, "a USER on the management listener", err, account.KindNotPermitted, account.ReasonNeedsAdmin)
		f.login(t, "ann") // as a client she gets in
	})
	t.Run("ErrPastLease", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			time.Sleep(lease)
			began := time.Now()
			_, err := f.Login(t.Context(), remote, "root", account.Secret(right))
			wantKind(t, "past the lease", err, account.KindUnavailable, account.ReasonPastLease)
			if took := time.Since(began); took != leaseWait || len(f.plugin.logins) != 0 {
				t.Errorf("refused after %v, having asked the plugin %d times", took, len(f.plugin.logins))
			}
		})
	})
	// Whoever waits for the lease holds no place that others wait for.
	t.Run("ErrPastLeaseForAll", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			time.Sleep(lease)
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					from := remote
					from.RemoteAddress = fmt.Sprintf("192.0.2.%d:4711", i)
					_, err := f.Login(t.Context(), from, "root", account.Secret(right))
					wantKind(t, "past the lease", err, account.KindUnavailable, account.ReasonPastLease)
				})
			}
			all.Wait()
		})
	})
	t.Run("ErrPluginHangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			f.plugin.authenticate = func(ctx context.Context, _ account.Credentials) (account.Login, error) {
				<-ctx.Done()
				return account.Login{}, account.Unavailable("no answer")
			}
			began := time.Now()
			_, err := f.Login(t.Context(), remote, "root", account.Secret(right))
			wantKind(t, "a plugin that hangs", err, account.KindUnavailable, "")
			if took := time.Since(began); took != callTimeout {
				t.Errorf("refused after %v, want %v", took, callTimeout)
			}
		})
	})
}

// What no account can have still costs the plugin's time (rule 9).
func TestLoginWithImpossibleCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		username string
		password string
		want     account.Credentials
	}{
		"Username": {"no name", right, account.Credentials{Password: account.Secret(right)}},
		"Password": {"root", strings.Repeat("x", account.MaxPassword+1), account.Credentials{Username: "root"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := set(t)
			_, err := f.Login(t.Context(), remote, c.username, account.Secret(c.password))
			wantKind(t, name, err, account.KindNotAuthenticated, "")
			if len(f.plugin.logins) != 1 {
				t.Fatalf("the plugin was asked %d times", len(f.plugin.logins))
			}
			if got := f.plugin.logins[0]; got.Username != c.want.Username || string(got.Password) != string(c.want.Password) {
				t.Errorf("the plugin was asked about '%s' with a password of %d bytes", got.Username, len(got.Password))
			}
		})
	}
}

// Rule 4: what the plugin read before a revocation opens no session.
func TestLoginOvertaken(t *testing.T) {
	t.Run("Repeated", func(t *testing.T) {
		f := set(t)
		f.plugin.authenticate = func(_ context.Context, c account.Credentials) (account.Login, error) {
			read, err := f.plugin.check(c)
			if len(f.plugin.logins) == 1 {
				f.Table.Revoke("jeff")
			}
			return read, err
		}
		if l := f.login(t, "jeff"); !f.live(l) || len(f.plugin.logins) != 2 {
			t.Errorf("the plugin was asked %d times", len(f.plugin.logins))
		}
	})
	t.Run("ErrSuspended", func(t *testing.T) {
		f := set(t)
		root, suspended := f.root(t), false
		f.plugin.authenticate = func(_ context.Context, c account.Credentials) (account.Login, error) {
			if suspended {
				return account.Login{}, account.NotPermitted(account.ReasonSuspended, "suspended")
			}
			read, err := f.plugin.check(c)
			suspended = true
			if _, err := f.Suspend(t.Context(), root, account.RequestID{}, "jeff"); err != nil {
				t.Error(err)
			}
			return read, err
		}
		_, err := f.Login(t.Context(), remote, "jeff", account.Secret(right))
		wantKind(t, "suspended meanwhile", err, account.KindNotPermitted, account.ReasonSuspended)
		if n := f.Table.Count("jeff"); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
	t.Run("ErrAgainAndAgain", func(t *testing.T) {
		f := set(t)
		f.plugin.authenticate = func(_ context.Context, c account.Credentials) (account.Login, error) {
			defer f.Table.Revoke("jeff")
			return f.plugin.check(c)
		}
		_, err := f.Login(t.Context(), remote, "jeff", account.Secret(right))
		wantKind(t, "changed again and again", err, account.KindUnavailable, "")
		if n := len(f.plugin.logins); n < 2 || n > 20 {
			t.Errorf("the plugin was asked %d times", n)
		}
	})
}

func TestLoginThrottled(t *testing.T) {
	guess := func(f *fixture, o gate.Origin) error {
		_, err := f.Login(context.Background(), o, "root", account.Secret("a guess"))
		return err
	}
	t.Run("ErrThrottled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			for range 3 {
				wantKind(t, "a guess", guess(f, remote), account.KindNotAuthenticated, "")
			}
			elsewhere := remote
			elsewhere.RemoteAddress = "192.0.2.7:9999" // another port is no other source
			_, err := f.Login(t.Context(), elsewhere, "root", account.Secret(right))
			wantKind(t, "the fourth", err, account.KindThrottled, "")
			if e, ok := errors.AsType[*account.Error](err); !ok || e.RetryAfter != time.Second || len(f.plugin.logins) != 3 {
				t.Errorf("%+v, having asked the plugin %d times", e, len(f.plugin.logins))
			}
			lines := f.lines(t, audit.LoginRefused)
			if last := lines[len(lines)-1]; last.Outcome != account.KindThrottled.String() || last.Caller.Username != "root" {
				t.Errorf("the line says %+v", last)
			}
			elsewhere.RemoteAddress = "192.0.2.8:4711"
			if _, err := f.Login(t.Context(), elsewhere, "root", account.Secret(right)); err != nil {
				t.Errorf("from another address: %v", err)
			}
			time.Sleep(time.Second)
			f.login(t, "root") // the right one, in time
		})
	})
	t.Run("ByUID", func(t *testing.T) {
		f := set(t)
		for range 3 {
			wantKind(t, "a guess", guess(f, local), account.KindNotAuthenticated, "")
		}
		wantKind(t, "the fourth", guess(f, local), account.KindThrottled, "")
		other := local
		other.UID, other.RemoteAddress = 1001, "uid:1001"
		if _, err := f.Login(t.Context(), other, "root", account.Secret(right)); err != nil {
			t.Errorf("another uid: %v", err)
		}
	})
	// What says nothing of the password counts neither way.
	t.Run("UndecidedCountsNot", func(t *testing.T) {
		f := set(t)
		f.plugin.authenticate = func(context.Context, account.Credentials) (account.Login, error) {
			return account.Login{}, account.Unavailable("no plugin")
		}
		for range 10 {
			wantKind(t, "without a plugin", guess(f, remote), account.KindUnavailable, "")
		}
	})
	t.Run("RightButSuspendedIsForgiven", func(t *testing.T) {
		f := set(t)
		for range 10 {
			f.plugin.authenticate = nil
			for range 2 {
				wantKind(t, "a guess", guess(f, remote), account.KindNotAuthenticated, "")
			}
			f.plugin.authenticate = func(context.Context, account.Credentials) (account.Login, error) {
				return account.Login{}, account.NotPermitted(account.ReasonSuspended, "suspended")
			}
			wantKind(t, "the right one", guess(f, remote), account.KindNotPermitted, account.ReasonSuspended)
		}
	})
	t.Run("PanicGivesItsPlaceBack", func(t *testing.T) {
		f := set(t)
		f.plugin.authenticate = func(context.Context, account.Credentials) (account.Login, error) { panic("in a login") }
		for n := 0; n < 100 && !t.Failed(); n++ { // more than there are places for a source, and for a name
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic came through")
					}
				}()
				f.Login(t.Context(), remote, []string{"root", fmt.Sprintf("name%d", n)}[n%2], account.Secret(right))
			}()
		}
		f.plugin.authenticate = nil
		f.login(t, "root")
	})
}

// Rule 9: an unknown name may be a mistyped password, so it is in no line; and
// the lines of both cost as many syncs, so that time does not tell them apart.
func TestLoginRefused(t *testing.T) {
	f := set(t)
	costs := map[string]int64{}
	for _, username := range []string{"root", "Tr0ub4dor&3", "Tr0ub4dor and 3"} {
		for attempt := range 5 { // past the throttle, too
			before := f.disk.syncs.Load()
			f.Login(t.Context(), remote, username, account.Secret("a guess"))
			costs[username] += f.disk.syncs.Load() - before
			if attempt == 0 && costs[username] == 0 {
				t.Errorf("no line was synced for '%s'", username)
			}
		}
	}
	if costs["root"] != costs["Tr0ub4dor&3"] || costs["root"] != costs["Tr0ub4dor and 3"] {
		t.Errorf("syncs: %v", costs)
	}
	names := map[string]int{}
	for _, e := range f.lines(t, audit.LoginRefused) {
		names[e.Caller.Username]++
		if e.Caller.RemoteAddress != remote.RemoteAddress {
			t.Errorf("a line without its source: %+v", e.Caller)
		}
	}
	// Each is refused as wrong, and then as throttled.
	if len(names) != 2 || names["root"] != 2 || names[""] != 4 {
		t.Errorf("lines by name: %v", names)
	}
}

// A plugin that cannot say whether an account has the name costs the name, and
// no more than a short wait.
func TestLoginRefusedWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := set(t)
		f.plugin.exists = func(ctx context.Context, _ string) (bool, error) {
			<-ctx.Done()
			return false, account.Unavailable("no answer")
		}
		began := time.Now()
		_, err := f.Login(t.Context(), remote, "root", account.Secret("a guess"))
		wantKind(t, "a guess", err, account.KindNotAuthenticated, "")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if e := f.line(t, audit.LoginRefused); e.Caller.Username != "" {
			t.Errorf("the line says %+v", e.Caller)
		}
	})
}

// refusesAfter lets the disk fail: the change that meets it is unknown, and what
// comes after is refused before the plugin is asked.
func refusesAfter(t *testing.T, f *fixture, root gate.Caller, cause error) {
	t.Helper()
	f.disk.fail(cause)
	_, err := f.Suspend(t.Context(), root, anew, "jeff")
	wantKind(t, "the change that meets it", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
	logins, changes := len(f.plugin.logins), len(f.plugin.asked)
	_, err = f.Suspend(t.Context(), root, anew, "jeff")
	wantKind(t, "a change", err, account.KindUnavailable, "")
	_, err = f.Login(t.Context(), remote, "root", account.Secret(right))
	wantKind(t, "a login", err, account.KindUnavailable, "")
	if len(f.plugin.logins) != logins || len(f.plugin.asked) != changes {
		t.Error("the plugin was asked all the same")
	}
}
