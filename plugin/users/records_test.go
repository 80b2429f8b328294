package users_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestRecords(t *testing.T) {
	t.Run("HoldWhatAnAuditNeeds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			created := h.create("target", account.User)
			in := h.as("admin")
			suspended := h.must(h.Suspend(t.Context(), in, "target"))
			in2 := h.as("admin")
			time.Sleep(time.Second)
			h.must(h.Delete(t.Context(), in2, account.Delete{Username: "none", IfExists: true}))
			page, next, err := h.Records(t.Context(), account.RequestID{})
			if err != nil || !next.IsZero() || len(page) != 3 {
				t.Fatalf("got %d records, next %s, %v", len(page), next, err)
			}
			admin := h.kept("admin").ID
			want := []account.Record{
				{RequestID: in.RequestID, Host: "host", Caller: admin, CallerName: "admin", Verb: account.VerbSuspend, Target: "target",
					Changed: true, AccountID: created.ID, Generation: suspended.Account.Generation, At: time.Now().Add(-time.Second)},
				{RequestID: in2.RequestID, Host: "host", Caller: admin, CallerName: "admin", Verb: account.VerbDelete, Target: "none", At: time.Now()},
			}
			slices.SortFunc(want, func(a, b account.Record) int { return strings.Compare(a.RequestID.String(), b.RequestID.String()) })
			got := slices.DeleteFunc(page, func(r account.Record) bool { return r.Verb == account.VerbCreate })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	})
	t.Run("PageInOrder", func(t *testing.T) {
		h := start(t)
		const n = account.MaxBatch + 7
		var ids []string
		for range n {
			in := h.as("admin")
			h.must(h.Enable(t.Context(), in, "admin"))
			ids = append(ids, in.RequestID.String())
		}
		slices.Sort(ids)
		var got []string
		var after account.RequestID
		for pages := 1; ; pages++ {
			page, next, err := h.Records(t.Context(), after)
			if err != nil || len(page) > account.MaxBatch {
				t.Fatalf("a page of %d, %v", len(page), err)
			}
			for _, r := range page {
				got = append(got, r.RequestID.String())
			}
			if after = next; next.IsZero() {
				if pages != 2 {
					t.Errorf("%d records came in %d pages", n, pages)
				}
				break
			}
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("LeaveOutWhatCannotBeRead", func(t *testing.T) {
		h := start(t)
		var want []string
		write := func(name, value string) {
			if _, err := h.store.Store.Update(t.Context(), func(tx users.Tx) error {
				return tx.Put(users.Key{Space: users.Requests, Name: name}, []byte(value))
			}); err != nil {
				t.Fatal(err)
			}
		}
		for range account.MaxBatch + 1 {
			in := h.as("admin")
			h.must(h.Enable(t.Context(), in, "admin"))
			want = append(want, in.RequestID.String())
		}
		slices.Sort(want)
		write("0 is no id", "{}")
		write("~ is no id", "{}")
		broken := account.NewRequestID(time.Now().Add(time.Second)) // after all that are whole
		write(broken.String(), "{")
		write(account.NewRequestID(time.Now().Add(time.Minute)).String(), `{"unknown":true}`)
		var got []string
		page, next, err := h.Records(t.Context(), account.RequestID{})
		for ; err == nil; page, next, err = h.Records(t.Context(), next) {
			for _, r := range page {
				got = append(got, r.RequestID.String())
			}
			if next.IsZero() {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
		if log := h.log.String(); strings.Count(log, "[WARN]") != 2 || !strings.Contains(log, "count=1 first=\"0 is no id") || !strings.Contains(log, "count=3 first=\""+broken.String()) {
			t.Errorf("the log says %q, want a warning for each page, of 1 and of 3", log)
		}
	})
}
