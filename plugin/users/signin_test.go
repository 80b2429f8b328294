package users_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestLastLogin(t *testing.T) {
	last := func(h *harness) time.Time {
		h.t.Helper()
		a, err := h.Show(h.t.Context(), h.caller("admin"), "target")
		if err != nil {
			h.t.Fatal(err)
		}
		return a.LastLoginAt
	}
	t.Run("AtMostOnceAMinute", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			h.create("target", account.User)
			if !last(h).IsZero() {
				t.Errorf("before any login: %s", last(h))
			}
			first := time.Now()
			for _, c := range []struct {
				pause time.Duration
				want  time.Time
			}{
				{0, first},
				{59 * time.Second, first},
				{time.Second, first.Add(time.Minute)},
			} {
				time.Sleep(c.pause)
				if _, err := h.login("target", newPassword); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := last(h); !got.Equal(c.want) {
					t.Errorf("at %s: last login %s, want %s", time.Now(), got, c.want)
				}
			}
			login, err := h.login("target", newPassword)
			if err != nil || !login.Account.LastLoginAt.Equal(first.Add(time.Minute)) {
				t.Errorf("a login read %v, %v", login, err)
			}
			page, _, err := h.List(t.Context(), h.caller("admin"), "admin")
			if err != nil || len(page) != 1 || !page[0].LastLoginAt.Equal(first.Add(time.Minute)) {
				t.Errorf("the list has %v, %v", page, err)
			}
			c := h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
			if !c.Account.LastLoginAt.Equal(first.Add(time.Minute)) {
				t.Errorf("the change has %v", c)
			}
		})
	})
	t.Run("AfterTheClockWasSetBack", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			target := h.create("target", account.User)
			h.setLastLogin(target.ID, time.Now().Add(time.Hour))
			if _, err := h.login("target", newPassword); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := last(h); !got.Equal(time.Now()) {
				t.Errorf("last login %s, want %s", got, time.Now())
			}
		})
	})
	t.Run("OnceAMinuteByClocksThatDiffer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			target := h.create("target", account.User)
			other := time.Now().Add(time.Second)
			h.setLastLogin(target.ID, other)
			if _, err := h.login("target", newPassword); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := last(h); !got.Equal(other) {
				t.Errorf("last login %s, want %s, which is recent", got, other)
			}
		})
	})
	t.Run("NotOfAProbe", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			h.create("target", account.User)
			if _, err := h.probe("target", newPassword); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if !last(h).IsZero() {
				t.Errorf("after a probe: %s", last(h))
			}
		})
	})
	t.Run("NotOfARefusedOne", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			h.create("target", account.User)
			if _, err := h.login("target", "wrong password"); err == nil {
				t.Error("a wrong password was accepted")
			}
			synctest.Wait()
			if !last(h).IsZero() {
				t.Errorf("after a refused login: %s", last(h))
			}
		})
	})
	t.Run("NotOfADeletedAccount", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			old := h.create("target", account.User)
			release := make(chan struct{})
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(context.Context) error {
					s.set(func(s *hooked) { s.beforeUpdate = nil })
					<-release
					return nil
				}
			})
			if _, err := h.login("target", newPassword); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			h.must(h.Delete(t.Context(), h.as("admin"), account.Delete{Username: "target"}))
			h.create("target", account.User)
			close(release)
			synctest.Wait()
			for key := range h.contents() {
				if strings.HasPrefix(key, string(users.SignIns)) {
					t.Errorf("%s was written for the account %s, which is gone", key, old.ID)
				}
			}
		})
	})
	t.Run("NeverInTheWay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(ctx context.Context) error {
					<-ctx.Done()
					return ctx.Err()
				}
			})
			for range 1100 {
				if _, err := h.login("admin", adminPassword); err != nil {
					t.Fatal(err)
				}
			}
			h.store.set(func(s *hooked) { s.beforeUpdate = nil })
		})
	})
	t.Run("WrittenAtClose", func(t *testing.T) {
		store := &hooked{Store: unclosed{mem.New()}}
		h := open(t, store, nil)
		if _, err := h.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.login("admin", adminPassword); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		h = open(t, store, nil)
		if a, err := h.Show(t.Context(), h.caller("admin"), "admin"); err != nil || a.LastLoginAt.IsZero() {
			t.Errorf("got %v, %v, want a last login", a, err)
		}
	})
	t.Run("CloseDoesNotWaitForAStalledStore", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			h.store.Store = unclosed{h.store.Store}
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(ctx context.Context) error {
					<-ctx.Done()
					return ctx.Err()
				}
			})
			for range 3 {
				if _, err := h.login("admin", adminPassword); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("Close took %s", took)
			}
		})
	})
}

// setLastLogin writes a login down as another host, or this one with another
// clock, would have.
func (h *harness) setLastLogin(id account.ID, at time.Time) {
	h.t.Helper()
	if _, err := h.store.Store.Update(h.t.Context(), func(tx users.Tx) error {
		value, err := json.Marshal(map[string]time.Time{"at": at})
		if err != nil {
			return err
		}
		return tx.Put(users.Key{Space: users.SignIns, Name: string(id)}, value)
	}); err != nil {
		h.t.Fatal(err)
	}
}
