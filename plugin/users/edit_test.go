package users_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestEdit(t *testing.T) {
	t.Run("RoleAndPassword", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		updates := 0
		h.store.set(func(s *hooked) { updates = s.updates })
		c := h.must(h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Role: account.Admin, Password: account.Secret("another password")}))
		h.store.set(func(s *hooked) {
			if s.updates != updates+1 {
				t.Errorf("the edit took %d transactions, want 1", s.updates-updates)
			}
		})
		if !c.Changed || c.Account.Role != account.Admin || c.Account.Generation != before.Generation+2 {
			t.Errorf("got %+v, want an ADMIN two generations on", c)
		}
		if _, err := h.login("target", "another password"); err != nil {
			t.Error(err)
		}
	})
	t.Run("NothingOfARefusedOne", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		before := h.contents()
		_, err := h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Role: account.Admin, Password: account.Secret("short")})
		invalid(t, err, "password", account.ReasonPasswordPolicy)
		_, err = h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "admin", Role: account.User, Password: account.Secret(newPassword)})
		refusal(t, err, account.KindRefused, account.ReasonLastAdmin)
		h.unchanged(before)
	})
	t.Run("RoleAlone", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		c := h.must(h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Role: "admin"}))
		if !c.Changed || c.Account.Role != account.Admin || c.Account.Generation != before.Generation+1 || !c.Account.PasswordChangedAt.Equal(before.PasswordChangedAt) {
			t.Errorf("got %+v, want an ADMIN one generation on", c)
		}
	})
	t.Run("SameRole", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		c := h.must(h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Role: account.User}))
		if diff := cmp.Diff(account.Change{Account: before, Revision: c.Revision}, c); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("SameRoleAndPassword", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		c := h.must(h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Role: account.User, Password: account.Secret(newPassword)}))
		if !c.Changed || c.Account.Generation != before.Generation+1 {
			t.Errorf("got %+v, want one generation on", c)
		}
	})
	t.Run("OneselfWithBoth", func(t *testing.T) {
		h := start(t)
		h.create("second", account.Admin)
		c := h.must(h.Edit(t.Context(), h.as("second"), account.Edit{Username: "second", Role: account.User, Password: account.Secret("another password")}))
		if c.Account.Role != account.User {
			t.Errorf("got %+v, want a USER", c)
		}
		if _, err := h.login("second", "another password"); err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrNothing", func(t *testing.T) {
		h := start(t)
		_, err := h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "admin"})
		invalid(t, err, "role", "")
	})
	t.Run("ErrRole", func(t *testing.T) {
		h := start(t)
		_, err := h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "admin", Role: "service"})
		invalid(t, err, "role", "")
	})
}
