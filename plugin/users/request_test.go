package users_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestRequest(t *testing.T) {
	t.Run("RepeatAnswersFromTheRecord", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			in := h.as("admin")
			first := h.must(v.call(h, in, "target"))
			before := h.contents()
			h.store.set(func(s *hooked) { s.beforeUpdate = nil })
			made := h.hashing.Made.Load()
			second := h.must(v.call(h, in, "target"))
			if !second.Repeated || first.Repeated {
				t.Errorf("the first was repeated: %t, the second: %t", first.Repeated, second.Repeated)
			}
			if second.Revision < first.Revision {
				t.Errorf("the repeat was read at %d, the change written at %d", second.Revision, first.Revision)
			}
			if n := h.hashing.Made.Load(); n != made {
				t.Errorf("the repeat computed %d hashes", n-made)
			}
			second.Repeated, second.Revision = first.Repeated, first.Revision
			if diff := cmp.Diff(first, second); diff != "" {
				t.Error(diff)
			}
			h.unchanged(before)
		})
	})
	t.Run("RunsOfOneTransaction", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			generation := h.kept("target").Generation
			h.store.set(func(s *hooked) { s.rerun = true })
			got := h.must(v.call(h, h.as("admin"), "target"))
			if got.Repeated {
				t.Error("the second run of a transaction took itself for a repeat")
			}
			if raised := got.Account.Generation - generation; raised > 2 {
				t.Errorf("the generation rose by %d", raised)
			}
		})
	})
	t.Run("CommittedWhileHashing", func(t *testing.T) {
		// The host repeats a call whose first attempt commits after all.
		h := start(t)
		in := h.as("admin")
		ask := account.Create{Username: "new", Password: account.Secret(newPassword), Role: account.User}
		h.store.set(func(s *hooked) {
			s.beforeUpdate = func(ctx context.Context) error {
				s.set(func(s *hooked) { s.beforeUpdate = nil })
				_, err := h.Create(ctx, in, ask)
				return err
			}
		})
		got := h.must(h.Create(t.Context(), in, ask))
		if !got.Repeated || !got.Changed || got.Account.ID != h.kept("new").ID {
			t.Errorf("got %+v, want the recorded outcome", got)
		}
	})
	t.Run("RepeatOfNothingChanged", func(t *testing.T) {
		h := start(t)
		in := h.as("admin")
		h.must(h.Enable(t.Context(), in, "admin"))
		got := h.must(h.Enable(t.Context(), in, "admin"))
		if !got.Repeated || got.Changed {
			t.Errorf("got %+v, want a repeat that changed nothing", got)
		}
	})
	t.Run("RefusalsAreNotRecorded", func(t *testing.T) {
		h := start(t)
		in := h.as("admin")
		before := h.contents()
		_, err := h.Delete(t.Context(), in, account.Delete{Username: "later"})
		refusal(t, err, account.KindNotFound, "")
		h.unchanged(before)
		h.create("later", account.User)
		if got := h.must(h.Delete(t.Context(), in, account.Delete{Username: "later"})); got.Repeated || !got.Changed {
			t.Errorf("got %+v, want a deletion", got)
		}
	})
	t.Run("OfACallerWhoDemotedItself", func(t *testing.T) {
		h := start(t)
		h.create("second", account.Admin)
		in := h.as("second")
		first := h.must(h.Edit(t.Context(), in, account.Edit{Username: "second", Role: account.User}))
		got := h.must(h.Edit(t.Context(), in, account.Edit{Username: "second", Role: account.User}))
		if !got.Repeated || !got.Changed || got.Account.Generation != first.Account.Generation {
			t.Errorf("got %+v, want the recorded outcome", got)
		}
		in.RequestID = account.NewRequestID(time.Now())
		_, err := h.Edit(t.Context(), in, account.Edit{Username: "second", Role: account.User})
		refusal(t, err, account.KindNotAuthenticated, "")
	})
	t.Run("OfACallerWhoWasSuspended", func(t *testing.T) {
		h := start(t)
		h.create("second", account.Admin)
		in := h.as("second")
		h.must(h.Grant(t.Context(), in, account.Grant{Username: "admin", Permission: account.Read, Environment: "e"}))
		h.must(h.Suspend(t.Context(), h.as("admin"), "second"))
		if got := h.must(h.Grant(t.Context(), in, account.Grant{Username: "admin", Permission: account.Read, Environment: "e"})); !got.Repeated || !got.Changed {
			t.Errorf("got %+v, want the recorded outcome", got)
		}
	})
	t.Run("OfADeletionOfOneself", func(t *testing.T) {
		h := start(t)
		second := h.create("second", account.Admin)
		in := h.as("second")
		h.must(h.Delete(t.Context(), in, account.Delete{Username: "second"}))
		got := h.must(h.Delete(t.Context(), in, account.Delete{Username: "second"}))
		want := account.Change{Changed: true, Gone: true, Repeated: true, Revision: got.Revision,
			Account: account.Account{ID: second.ID, Generation: second.Generation, Username: "second"}}
		if diff := cmp.Diff(want, got); diff != "" || got.Revision == 0 {
			t.Error(diff, got.Revision)
		}
	})
	t.Run("ShowsTheAccountAsItIsNow", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		in := h.as("admin")
		h.must(h.Suspend(t.Context(), in, "target"))
		enabled := h.must(h.Enable(t.Context(), h.as("admin"), "target"))
		got := h.must(h.Suspend(t.Context(), in, "target"))
		if !got.Repeated || !got.Changed || !got.Account.Enabled || got.Account.Generation != enabled.Account.Generation {
			t.Errorf("got %+v, want the account of now", got)
		}
	})
	t.Run("OfAnAccountThatIsGone", func(t *testing.T) {
		h := start(t)
		target := h.create("target", account.User)
		in := h.as("admin")
		suspended := h.must(h.Suspend(t.Context(), in, "target"))
		h.must(h.Delete(t.Context(), h.as("admin"), account.Delete{Username: "target"}))
		want := account.Change{Changed: true, Repeated: true, Gone: true,
			Account: account.Account{ID: target.ID, Generation: suspended.Account.Generation, Username: "target"}}
		got := h.must(h.Suspend(t.Context(), in, "target"))
		want.Revision = got.Revision
		if diff := cmp.Diff(want, got); diff != "" || got.Revision == 0 {
			t.Error(diff, got.Revision)
		}

		// The name's next holder is not the account of the record, and nothing
		// may be learned of it: such a snapshot is older than any other.
		h.create("target", account.Admin)
		got = h.must(h.Suspend(t.Context(), in, "target"))
		want.Gone, want.Revision = false, 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("ErrReused", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			h.create("second", account.Admin)
			in := h.as("admin")
			h.must(v.call(h, in, "target"))
			before := h.contents()
			for _, other := range verbs {
				if other.name != v.name {
					_, err := other.call(h, in, "target")
					invalid(t, err, "request_id", account.ReasonRequestReused)
				}
			}
			_, err := v.call(h, in, "second")
			invalid(t, err, "request_id", account.ReasonRequestReused)
			stolen := h.as("second")
			stolen.RequestID = in.RequestID
			_, err = v.call(h, stolen, "target")
			invalid(t, err, "request_id", account.ReasonRequestReused)
			h.unchanged(before)
		})
	})
	t.Run("ErrIDs", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			before := h.contents()
			in := h.as("admin")
			for _, c := range []struct {
				id     account.RequestID
				reason account.Reason
			}{
				{account.RequestID{}, ""},
				{account.RequestID{1, 2, 3}, ""},
				{account.NewRequestID(time.Now().Add(-account.RequestLifetime - time.Second)), account.ReasonRequestExpired},
				{account.NewRequestID(time.Now().Add(5*time.Minute + 10*time.Second)), ""},
			} {
				in.RequestID = c.id
				_, err := v.call(h, in, "target")
				invalid(t, err, "request_id", c.reason)
			}
			in = h.as("admin")
			in.Host = "\xff"
			_, err := v.call(h, in, "target")
			invalid(t, err, "host", "")
			in.Host = strings.Repeat("h", 256)
			_, err = v.call(h, in, "target")
			invalid(t, err, "host", "")
			h.unchanged(before)
		})
	})
	t.Run("ClocksMayDiffer", func(t *testing.T) {
		h := start(t)
		for _, at := range []time.Duration{-59 * time.Minute, 4 * time.Minute} {
			in := h.as("admin")
			in.RequestID = account.NewRequestID(time.Now().Add(at))
			h.must(h.Enable(t.Context(), in, "admin"))
		}
	})
	t.Run("AnsweredForAsLongAsThereIsARecord", func(t *testing.T) {
		// A repeat may be late: the plugin died after the commit.
		synctest.Test(t, func(t *testing.T) {
			everyVerbAfterAnHour(t, func(h *harness, in account.Invocation, v verb) {
				if got := h.must(v.call(h, in, "target")); !got.Repeated || !got.Changed {
					t.Errorf("%s: got %+v, want the recorded outcome", v.name, got)
				}
				_, err := v.call(h, in, "admin")
				invalid(t, err, "request_id", account.ReasonRequestReused)
			})
		})
	})
	t.Run("ErrExpiredWithItsRecord", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			in := h.as("admin")
			h.must(h.Enable(t.Context(), in, "admin"))
			time.Sleep(account.RecordLifetime + 2*time.Hour)
			synctest.Wait()
			_, err := h.Enable(t.Context(), in, "admin")
			invalid(t, err, "request_id", account.ReasonRequestExpired)
		})
	})
	t.Run("ErrExpiredWhileHashing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			in := h.as("admin")
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(context.Context) error {
					s.set(func(s *hooked) { s.beforeUpdate = nil })
					time.Sleep(2 * time.Second)
					return nil
				}
			})
			time.Sleep(account.RequestLifetime - time.Second)
			before := h.contents()
			_, err := h.Create(t.Context(), in, account.Create{Username: "new", Password: account.Secret(newPassword), Role: account.User})
			invalid(t, err, "request_id", account.ReasonRequestExpired)
			h.unchanged(before)
		})
	})
	t.Run("CommittedWhileHashingBeyondTheHour", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			in := h.as("admin")
			ask := account.Create{Username: "new", Password: account.Secret(newPassword), Role: account.User}
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(ctx context.Context) error {
					s.set(func(s *hooked) { s.beforeUpdate = nil })
					_, err := h.Create(ctx, in, ask)
					time.Sleep(2 * time.Second)
					return err
				}
			})
			time.Sleep(account.RequestLifetime - time.Second)
			if got := h.must(h.Create(t.Context(), in, ask)); !got.Repeated || !got.Changed {
				t.Errorf("got %+v, want the recorded outcome", got)
			}
		})
	})
	t.Run("AnsweredWhenTheClockWasSetBack", func(t *testing.T) {
		h := start(t)
		in := h.as("admin")
		h.must(h.Enable(t.Context(), in, "admin"))
		// The same record, but of an id from the future.
		future := in
		future.RequestID = account.NewRequestID(time.Now().Add(time.Hour))
		h.copyRecord(in.RequestID, future.RequestID)
		if got := h.must(h.Enable(t.Context(), future, "admin")); !got.Repeated {
			t.Errorf("got %+v, want the recorded outcome", got)
		}
	})
}

// everyVerbAfterAnHour carries each mutation out just within its id's hour, and
// runs a test just after it.
func everyVerbAfterAnHour(t *testing.T, test func(h *harness, in account.Invocation, v verb)) {
	for _, v := range verbs {
		h := start(t)
		h.create("target", account.User)
		switch v.name {
		case account.VerbCreate:
			h.must(h.Delete(t.Context(), h.as("admin"), account.Delete{Username: "target"}))
		case account.VerbRevoke:
			h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: account.Write, Environment: "default"}))
		case account.VerbEnable:
			h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		}
		in := h.as("admin")
		time.Sleep(account.RequestLifetime - time.Second)
		h.must(v.call(h, in, "target"))
		time.Sleep(2 * time.Second)
		test(h, in, v)
	}
}

// copyRecord puts one request's record under another id too.
func (h *harness) copyRecord(from, to account.RequestID) {
	h.t.Helper()
	if _, err := h.store.Store.Update(h.t.Context(), func(tx users.Tx) error {
		value, err := tx.Get(users.Key{Space: users.Requests, Name: from.String()})
		if err != nil {
			return err
		}
		return tx.Put(users.Key{Space: users.Requests, Name: to.String()}, value)
	}); err != nil {
		h.t.Fatal(err)
	}
}
