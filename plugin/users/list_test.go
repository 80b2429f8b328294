package users_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// list walks all pages and checks their bounds.
func list(h *harness, after string) (names []string, pages int) {
	h.t.Helper()
	for {
		page, next, err := h.List(h.t.Context(), h.caller("admin"), after)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(page) > account.MaxBatch {
			h.t.Errorf("a page has %d accounts", len(page))
		}
		for _, a := range page {
			names = append(names, a.Username)
		}
		pages++
		if next == "" {
			return names, pages
		}
		if next != page[len(page)-1].Username {
			h.t.Errorf("next is %q after %q", next, page[len(page)-1].Username)
		}
		after = next
	}
}

// copies writes accounts that are copies of one, and returns all names.
func copies(h *harness, of string, n int) []string {
	h.t.Helper()
	names := []string{"admin", of}
	if _, err := h.store.Store.Update(h.t.Context(), func(tx users.Tx) error {
		value, err := tx.Get(users.Key{Space: users.Accounts, Name: of})
		for i := range n {
			name := fmt.Sprintf("copy%06d", i)
			names = append(names, name)
			if err == nil {
				err = tx.Put(users.Key{Space: users.Accounts, Name: name}, value)
			}
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestList(t *testing.T) {
	t.Run("InPages", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		for _, n := range []int{0, account.MaxBatch - 2, account.MaxBatch - 1, 2 * account.MaxBatch} {
			want := copies(h, "target", n)
			got, pages := list(h, "")
			if diff := cmp.Diff(want, got); diff != "" || pages != (n+2+account.MaxBatch-1)/account.MaxBatch {
				t.Errorf("%d accounts in %d pages: %s", n+2, pages, diff)
			}
		}
	})
	t.Run("AfterAName", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		for after, want := range map[string][]string{"": {"admin", "target"}, "a": {"admin", "target"}, "admin": {"target"}, "b": {"target"}, "target": nil, "zz": nil, "two words": nil} {
			if got, _ := list(h, after); !slices.Equal(got, want) {
				t.Errorf("after %q: %q, want %q", after, got, want)
			}
		}
	})
	t.Run("SmallMessages", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		grants := account.Grants{}
		for i := range account.MaxEnvironments {
			grants[fmt.Sprint(strings.Repeat("e", 240), i)] = []account.Permission{account.Read, account.Write}
		}
		h.rewrite("target", func(value map[string]any) { value["grants"] = grants })
		want := copies(h, "target", 10)
		got, pages := list(h, "")
		if diff := cmp.Diff(want, got); diff != "" || pages < 3 {
			t.Errorf("twelve accounts, each of about 256 KiB, came in %d pages: %s", pages, diff)
		}
	})
	t.Run("Accounts", func(t *testing.T) {
		h := start(t)
		target := h.create("target", account.User)
		admin, err := h.Show(t.Context(), h.caller("admin"), "admin")
		if err != nil {
			t.Fatal(err)
		}
		page, _, err := h.List(t.Context(), h.caller("admin"), "")
		if diff := cmp.Diff([]account.Account{admin, target}, page); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	t.Run("ErrAfter", func(t *testing.T) {
		h := start(t)
		_, _, err := h.List(t.Context(), h.caller("admin"), strings.Repeat("n", 256))
		invalid(t, err, "after", "")
	})
}

func TestExport(t *testing.T) {
	t.Run("IsListWithHashes", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		copies(h, "target", account.MaxBatch)
		for after := ""; ; {
			listed, next, err := h.List(t.Context(), h.caller("admin"), after)
			if err != nil {
				t.Fatal(err)
			}
			var want []account.Exported
			kept := h.all()
			for _, a := range listed {
				want = append(want, account.Exported{Account: a, PasswordHash: account.Secret(kept[a.Username].Hash)})
			}
			got, exportNext, err := h.Export(t.Context(), h.caller("admin"), after)
			if diff := cmp.Diff(want, got); diff != "" || exportNext != next || err != nil {
				t.Error(diff, exportNext, err)
			}
			if after = next; after == "" {
				return
			}
		}
	})
	t.Run("ErrAfter", func(t *testing.T) {
		h := start(t)
		_, _, err := h.Export(t.Context(), h.caller("admin"), strings.Repeat("n", 256))
		invalid(t, err, "after", "")
	})
	t.Run("AppliedElsewhereIsExact", func(t *testing.T) {
		from, to := start(t), start(t)
		from.create("kim", account.Admin)
		from.create("zoë", account.User)
		from.must(from.Grant(t.Context(), from.as("admin"), account.Grant{Username: "zoë", Permission: account.Write, Environment: "prod"}))
		from.must(from.Suspend(t.Context(), from.as("admin"), "zoë"))
		from.apply(account.Desired{Username: "old", PasswordHash: hashOf(t, otherPassword), CreatedAt: past, PasswordChangedAt: past, LastLoginAt: past})
		page, _, err := from.Export(t.Context(), from.caller("admin"), "")
		if err != nil {
			t.Fatal(err)
		}
		for changes := range 2 {
			for _, e := range page {
				if e.Username == "admin" {
					continue // is who applies
				}
				a := to.apply(account.Desired{
					Username: e.Username, Role: e.Role, Enabled: &e.Enabled, Grants: e.Grants, PasswordHash: e.PasswordHash,
					CreatedAt: e.CreatedAt, PasswordChangedAt: e.PasswordChangedAt, LastLoginAt: e.LastLoginAt,
				})
				if a.Changed != (changes == 0) {
					t.Errorf("round %d changed %s: %v", changes, e.Username, a.Changed)
				}
			}
		}
		restored, _, err := to.Export(t.Context(), to.caller("admin"), "")
		if err != nil {
			t.Fatal(err)
		}
		own := cmpopts.IgnoreFields(account.Account{}, "ID", "Generation")
		if diff := cmp.Diff(page[1:], restored[1:], own); diff != "" {
			t.Errorf("(-exported +restored):\n%s", diff)
		}
	})
}

// An entry that cannot be read fails the listing, and the error says which.
func TestList_EntryThatCannotBeRead(t *testing.T) {
	h := start(t)
	h.create("jeff", account.User)
	h.rewrite("jeff", func(value map[string]any) { value["of a later release"] = true })
	if _, _, err := h.List(t.Context(), h.caller("admin"), ""); err == nil || !strings.Contains(err.Error(), "the entry of 'jeff'") {
		t.Errorf("the listing = %v, which does not name jeff's entry", err)
	}
	h.rewrite("jeff", func(value map[string]any) { delete(value, "of a later release") })
}
