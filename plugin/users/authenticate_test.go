package users_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestAuthenticate(t *testing.T) {
	t.Run("ReturnsWhatItRead", func(t *testing.T) {
		h := start(t)
		made := h.must(h.Create(t.Context(), h.as("admin"), account.Create{Username: "target", Password: account.Secret(newPassword), Role: account.User}))
		got, err := h.login("ｔａｒｇｅｔ", newPassword)
		if diff := cmp.Diff(made.Account, got.Account); diff != "" || err != nil || got.Revision < made.Revision {
			t.Error(diff, err, got.Revision)
		}
	})
	t.Run("ErrNotAuthenticated", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		h.create("suspended", account.User)
		h.must(h.Suspend(t.Context(), h.as("admin"), "suspended"))
		for name, c := range map[string][2]string{
			"WrongPassword":           {"target", "wrong password"},
			"WrongPasswordSuspended":  {"suspended", "wrong password"},
			"UnknownName":             {"nobody", newPassword},
			"NotAName":                {"two words", newPassword},
			"EmptyName":               {"", newPassword},
			"EmptyPassword":           {"target", ""},
			"LongPassword":            {"target", strings.Repeat("p", account.MaxPassword+1)},
			"UnpreparablePassword":    {"target", "control\x00character"},
			"UnpreparableSuspended":   {"suspended", "\xff"},
			"UnpreparableUnknownName": {"nobody", "\xff"},
		} {
			t.Run(name, func(t *testing.T) {
				before := h.hashing.Matched.Load()
				_, err := h.login(c[0], c[1])
				if diff := cmp.Diff(error(account.NotAuthenticated()), err); diff != "" {
					t.Error(diff)
				}
				if n := h.hashing.Matched.Load() - before; n != 1 {
					t.Errorf("%d hashes were computed, want 1 as for a wrong password", n)
				}
			})
		}
	})
	t.Run("ErrSuspended", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		_, err := h.login("target", newPassword)
		refusal(t, err, account.KindNotPermitted, account.ReasonSuspended)
	})
	t.Run("ErrUnreadableHash", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		secret := h.kept("target").Hash
		tail := secret[strings.LastIndex(secret, "$")+1:]
		for _, bad := range []string{
			"plain", "$", "$$", "$5$rounds=1$x$" + tail, strings.Replace(secret, "argon2id", "argon2i", 1),
			strings.Replace(secret, "m=64", "m=2000000", 1), strings.Replace(secret, "t=1", "t=17", 1),
			strings.Replace(secret, "m=64,t=1,p=1", "m=1000,t=1,p=17", 1), strings.Replace(secret, "m=64", "m=7", 1),
			strings.Replace(secret, "t=1", "t=0", 1), strings.Replace(secret, "t=1,p=1", "p=1,t=1", 1),
			strings.Replace(secret, "v=19", "v=16", 1), strings.Replace(secret, "t=1", "t=01", 1),
			strings.Replace(secret, "m=64,", "", 1), secret + "=", secret + strings.Repeat("A", 1000),
		} {
			h.rewrite("target", func(value map[string]any) { value["hash"] = bad })
			_, err := h.login("target", newPassword)
			if account.KindOf(err) != account.KindInternal || strings.Contains(err.Error(), tail) {
				t.Errorf("%.80q: got %v, want an internal error without it", bad, err)
			}
		}
		h.rewrite("target", func(value map[string]any) { value["hash"] = secret })
		if _, err := h.login("target", newPassword); err != nil {
			t.Error(err)
		}
	})
	t.Run("HashesAsOWASPRecommends", func(t *testing.T) {
		store := &hooked{Store: mem.New()}
		s := users.New(users.Backend{Open: func(context.Context, string, map[string]string) (users.Store, error) { return store, nil }}, quiet())
		defer s.Close()
		if _, err := s.Configure(t.Context(), account.Configuration{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
			t.Fatal(err)
		}
		h := &harness{Service: s, t: t, store: store}
		if hash := h.kept("admin").Hash; !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || len(hash) != 97 {
			t.Errorf("the hash is %q", hash)
		}
		if _, err := h.login("admin", adminPassword); err != nil {
			t.Error(err)
		}
	})
	t.Run("StoreFailure", func(t *testing.T) {
		h := start(t)
		h.store.set(func(s *hooked) {
			s.beforeView = func(context.Context) error { return errors.New("no answer") }
		})
		for _, name := range []string{"admin", "nobody", "two words"} {
			_, err := h.login(name, adminPassword)
			refusal(t, err, account.KindInternal, "")
		}
		h.store.set(func(s *hooked) { s.beforeView = nil })
	})
}

func TestRenewal(t *testing.T) {
	// Two Services share a store; the second is of a release that hashes harder.
	begin := func(t *testing.T) (weak, strong *harness) {
		weak = start(t)
		weak.create("target", account.User)
		strong = open(t, &hooked{Store: unclosed{weak.store.Store}}, nil)
		strong.hashing = strong.SetCost(128, 1)
		return weak, strong
	}
	t.Run("AtTheNextLogin", func(t *testing.T) {
		_, h := begin(t)
		before := h.kept("target")
		if _, err := h.login("target", newPassword); err != nil {
			t.Fatal(err)
		}
		after := h.kept("target")
		if !strings.Contains(after.Hash, "m=128,") || after.Generation != before.Generation || after.ID != before.ID {
			t.Errorf("%+v became %+v, want a stronger hash and nothing else", before, after)
		}
		made := h.hashing.Made.Load()
		if _, err := h.login("target", newPassword); err != nil || h.hashing.Made.Load() != made || made != 1 {
			t.Errorf("after the renewal: %v, %d hashes made", err, h.hashing.Made.Load())
		}
	})
	t.Run("NotByARefusedOne", func(t *testing.T) {
		_, h := begin(t)
		before := h.contents()
		if _, err := h.login("target", "wrong password"); err == nil {
			t.Error("a wrong password was accepted")
		}
		if ok, err := h.CheckPassword(t.Context(), h.caller("admin"), account.Password{Username: "target", Password: account.Secret(newPassword)}); !ok || err != nil {
			t.Error(ok, err)
		}
		h.unchanged(before)
		h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		before = h.contents()
		_, err := h.login("target", newPassword)
		refusal(t, err, account.KindNotPermitted, account.ReasonSuspended)
		h.unchanged(before)
		if n := h.hashing.Made.Load(); n != 0 {
			t.Errorf("%d hashes were made to renew one", n)
		}
	})
	t.Run("NotByAProbe", func(t *testing.T) {
		_, h := begin(t)
		before := h.contents()
		got, err := h.probe("target", newPassword)
		if err != nil || got.Account.ID != h.kept("target").ID {
			t.Errorf("got %+v, %v, want what a login reads", got, err)
		}
		_, err = h.probe("target", "wrong password")
		refusal(t, err, account.KindNotAuthenticated, "")
		h.unchanged(before)
		if n := h.hashing.Made.Load(); n != 0 {
			t.Errorf("%d hashes were made to renew one", n)
		}
	})
	t.Run("NotOverANewPassword", func(t *testing.T) {
		weak, h := begin(t)
		in := weak.as("admin")
		h.store.set(func(s *hooked) {
			s.beforeUpdate = func(ctx context.Context) error {
				s.set(func(s *hooked) { s.beforeUpdate = nil })
				_, err := weak.Password(ctx, in, account.Password{Username: "target", Password: account.Secret("another password")})
				return err
			}
		})
		if _, err := h.login("target", newPassword); err != nil {
			t.Fatal(err) // it was right when it was read; the host compares generations
		}
		if _, err := h.login("target", newPassword); err == nil {
			t.Error("the old password was brought back")
		}
		if _, err := h.login("target", "another password"); err != nil {
			t.Error(err)
		}
	})
	t.Run("FailsAlone", func(t *testing.T) {
		_, h := begin(t)
		h.store.set(func(s *hooked) {
			s.beforeUpdate = func(context.Context) error { return errors.New("the disk is full") }
		})
		if _, err := h.login("target", newPassword); err != nil {
			t.Error(err)
		}
		if !strings.Contains(h.log.String(), "the disk is full") {
			t.Errorf("the log says %q", h.log)
		}
		h.store.set(func(s *hooked) { s.beforeUpdate = nil })
	})
	t.Run("NotOfAStrongerOne", func(t *testing.T) {
		weak, strong := begin(t)
		strong.must(strong.Password(t.Context(), strong.as("admin"), account.Password{Username: "target", Password: account.Secret(newPassword)}))
		before := weak.contents()
		if _, err := weak.login("target", newPassword); err != nil {
			t.Error(err)
		}
		weak.unchanged(before)
	})
}
