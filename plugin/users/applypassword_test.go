package users_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestApplyPassword(t *testing.T) {
	same := account.Desired{Username: "target", Password: account.Secret(newPassword)}
	other := account.Desired{Username: "target", Password: account.Secret(otherPassword)}
	t.Run("StaysEvenIfItCouldNotBeSet", func(t *testing.T) {
		lax := start(t)
		lax.create("target", account.User)
		strict := open(t, &hooked{Store: unclosed{lax.store.Store}}, map[string]string{"password.min_length": "100"})
		hash := lax.kept("target").Hash
		got := strict.apply(same)
		if got.Changed || got.PasswordSet || strict.kept("target").Hash != hash || strict.hashing.Made.Load() != 0 {
			t.Errorf("got %+v, %d hashes made", got, strict.hashing.Made.Load())
		}
		_, err := strict.Apply(t.Context(), strict.as("admin"), other)
		invalid(t, err, "password", account.ReasonPasswordPolicy)
	})
	t.Run("IsSetOnce", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		made := h.hashing.Made.Load()
		for _, changes := range []bool{true, false, false} {
			if got := h.apply(other); got.Changed != changes || got.PasswordSet != changes || got.Account.Generation != 2 {
				t.Errorf("got %+v, want a change: %v", got, changes)
			}
		}
		if n := h.hashing.Made.Load() - made; n != 1 {
			t.Errorf("%d hashes were made", n)
		}
		if _, err := h.login("target", otherPassword); err != nil {
			t.Error(err)
		}
	})
	t.Run("OfASuspendedAccount", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		if got := h.apply(same); got.Changed || got.Account.Enabled {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("RepeatComputesNothing", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		in := h.as("admin")
		if _, err := h.Apply(t.Context(), in, other); err != nil {
			t.Fatal(err)
		}
		made, matched := h.hashing.Made.Load(), h.hashing.Matched.Load()
		if got, err := h.Apply(t.Context(), in, other); err != nil || !got.Repeated || !got.Changed || got.PasswordSet {
			t.Errorf("got %+v, %v", got, err)
		}
		if h.hashing.Made.Load() != made || h.hashing.Matched.Load() != matched {
			t.Error("the repeat hashed")
		}
	})
	t.Run("TimesAreIgnored", func(t *testing.T) {
		h := start(t)
		d := other
		d.CreatedAt, d.PasswordChangedAt, d.LastLoginAt = past, past, past
		if a := h.apply(d).Account; a.CreatedAt.Equal(past) || a.PasswordChangedAt.Equal(past) || !a.LastLoginAt.IsZero() {
			t.Errorf("got %+v", a)
		}
	})

	// What happens between the look at the hash and the transaction.
	meanwhile := func(t *testing.T, what func(ctx context.Context, h *harness) error) *harness {
		h := start(t)
		h.create("target", account.User)
		h.store.set(func(s *hooked) {
			s.beforeUpdate = func(ctx context.Context) error {
				s.set(func(s *hooked) { s.beforeUpdate = nil })
				return what(ctx, h)
			}
		})
		return h
	}
	sets := func(password string) func(context.Context, *harness) error {
		return func(ctx context.Context, h *harness) error {
			_, err := h.Password(ctx, h.as("admin"), account.Password{Username: "target", Password: account.Secret(password)})
			return err
		}
	}
	t.Run("SetByOthersToTheSame", func(t *testing.T) {
		h := meanwhile(t, sets(otherPassword))
		if got := h.apply(other); got.Changed || got.Account.Generation != 2 {
			t.Errorf("got %+v, want that the other's stays", got)
		}
	})
	t.Run("SetByOthersToAnother", func(t *testing.T) {
		h := meanwhile(t, sets(otherPassword))
		if got := h.apply(same); !got.Changed || !got.PasswordSet || got.Account.Generation != 3 {
			t.Errorf("got %+v, want it set back", got)
		}
		if _, err := h.login("target", newPassword); err != nil {
			t.Error(err)
		}
	})
	t.Run("RenewedByALogin", func(t *testing.T) {
		h := meanwhile(t, func(context.Context, *harness) error { return nil })
		h.hashing = h.SetCost(128, 1) // what is stored is weak now
		h.store.set(func(s *hooked) {
			s.beforeUpdate = func(context.Context) error {
				s.set(func(s *hooked) { s.beforeUpdate = nil })
				_, err := h.login("target", newPassword)
				return err
			}
		})
		if got := h.apply(same); got.Changed || !strings.Contains(h.kept("target").Hash, "m=128,") {
			t.Errorf("got %+v, kept %+v", got, h.kept("target"))
		}
	})
	t.Run("DeletedByOthers", func(t *testing.T) {
		for _, d := range []account.Desired{same, other} {
			h := meanwhile(t, func(ctx context.Context, h *harness) error {
				_, err := h.Delete(ctx, h.as("admin"), account.Delete{Username: "target"})
				return err
			})
			if got := h.apply(d); !got.Changed || got.Before != nil || got.Account.Generation != 1 {
				t.Errorf("got %+v, want a new account", got)
			}
			if _, err := h.login("target", string(d.Password)); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("MadeByOthers", func(t *testing.T) {
		h := meanwhile(t, func(ctx context.Context, h *harness) error {
			_, err := h.Create(ctx, h.as("admin"), account.Create{Username: "new", Password: account.Secret(newPassword), Role: account.User})
			return err
		})
		got := h.apply(account.Desired{Username: "new", Password: account.Secret(newPassword)})
		if got.Changed || got.Before == nil || got.Account.Generation != 1 {
			t.Errorf("got %+v, want the other's account as it is", got)
		}
	})
	t.Run("ErrChangedAllTheTime", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		admin, n := h.caller("admin"), 0
		var changing func(context.Context) error
		changing = func(ctx context.Context) error {
			h.store.set(func(s *hooked) { s.beforeUpdate = nil })
			defer h.store.set(func(s *hooked) { s.beforeUpdate = changing })
			n++
			_, err := h.Password(ctx, account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: admin},
				account.Password{Username: "target", Password: account.Secret(fmt.Sprint("another password ", n))})
			return err
		}
		h.store.set(func(s *hooked) { s.beforeUpdate = changing })
		_, err := h.Apply(t.Context(), h.as("admin"), other)
		h.store.set(func(s *hooked) { s.beforeUpdate = nil })
		refusal(t, err, account.KindConflict, "")
		if got := h.kept("target").Generation; got != account.Generation(1+n) {
			t.Errorf("generation %d after %d changes by others", got, n)
		}
	})
	t.Run("ManyAtOnce", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		admin := h.caller("admin")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				in := account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: admin, Host: "host"}
				if _, err := h.Apply(t.Context(), in, other); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := h.kept("target").Generation; got != 2 {
			t.Errorf("one password applied by four at once raised the generation to %d", got)
		}
	})
}
