package users_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestPrune(t *testing.T) {
	count := func(h *harness) int {
		t.Helper()
		page, _, err := h.Records(t.Context(), account.RequestID{})
		if err != nil {
			t.Fatal(err)
		}
		return len(page)
	}
	t.Run("AfterADay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			for range 250 {
				h.must(h.Enable(t.Context(), h.as("admin"), "admin"))
			}
			time.Sleep(account.RecordLifetime - 2*time.Hour)
			h.must(h.Enable(t.Context(), h.as("admin"), "admin"))
			time.Sleep(time.Hour + time.Minute)
			synctest.Wait()
			if n := count(h); n != 251 {
				t.Errorf("%d records are left before their day is over, want 251", n)
			}
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			if n := count(h); n != 1 {
				t.Errorf("%d records are left after a day, want the younger one", n)
			}
		})
	})
	t.Run("ByTheTimeOfTheCommit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			in := h.as("admin")
			in.RequestID = account.NewRequestID(time.Now().Add(-58 * time.Minute))
			h.must(h.Enable(t.Context(), in, "admin"))
			time.Sleep(account.RecordLifetime + time.Minute)
			synctest.Wait()
			if n := count(h); n != 1 {
				t.Errorf("%d records are left, want the one that is younger than its id", n)
			}
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			if n := count(h); n != 0 {
				t.Errorf("%d records are left, want none", n)
			}
		})
	})
	t.Run("WhenTheHostHasReadThem", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := &hooked{Store: unclosed{mem.New()}}
			h := open(t, store, nil)
			if _, err := h.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
				t.Fatal(err)
			}
			h.must(h.Enable(t.Context(), h.as("admin"), "admin"))
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(account.RecordLifetime + time.Minute)
			h = open(t, store, nil)
			time.Sleep(5 * time.Minute) // which host/host.go leaves itself
			synctest.Wait()
			if n := count(h); n != 2 {
				t.Errorf("%d records are left for the host to read, want 2", n)
			}
			time.Sleep(6 * time.Minute)
			synctest.Wait()
			if n := count(h); n != 0 {
				t.Errorf("%d records are left, want none", n)
			}
		})
	})
	t.Run("InSmallTransactionsThatReadAgain", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			for range 250 {
				h.must(h.Enable(t.Context(), h.as("admin"), "admin"))
			}
			time.Sleep(account.RecordLifetime - time.Minute)
			synctest.Wait()
			before := 0
			h.store.set(func(s *hooked) { before = s.updates; s.rerun = true })
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			h.store.set(func(s *hooked) {
				if n := s.updates - before; n != 3 {
					t.Errorf("250 records were pruned in %d transactions, want 3", n)
				}
			})
		})
	})
	t.Run("TriesAgain", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			h.must(h.Enable(t.Context(), h.as("admin"), "admin"))
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(context.Context) error { return errors.New("the disk is full") }
			})
			time.Sleep(account.RecordLifetime + time.Hour)
			synctest.Wait()
			if n := count(h); n != 1 || !strings.Contains(h.log.String(), "the disk is full") {
				t.Errorf("%d records are left, and the log says %q", n, h.log)
			}
			h.store.set(func(s *hooked) { s.beforeUpdate = nil })
			time.Sleep(time.Hour)
			synctest.Wait()
			if n := count(h); n != 0 {
				t.Errorf("%d records are left, want none", n)
			}
		})
	})
}
