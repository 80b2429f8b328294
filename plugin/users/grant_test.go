package users_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestGrant(t *testing.T) {
	grant := func(h *harness, environment string, p account.Permission) account.Change {
		t.Helper()
		return h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: p, Environment: environment}))
	}
	t.Run("AddsUp", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		for _, p := range []account.Permission{account.Write, account.Read} {
			if c := grant(h, "default", p); !c.Changed || c.Account.Generation != before.Generation {
				t.Errorf("got %+v, want a change of the same generation", c)
			}
		}
		c := grant(h, "other", account.Read)
		want := account.Grants{"default": {account.Read, account.Write}, "other": {account.Read}}
		if diff := cmp.Diff(want, c.Account.Grants); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Again", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		grant(h, "default", account.Read)
		if c := grant(h, "default", "read"); c.Changed {
			t.Errorf("got %+v, want no change", c)
		}
	})
	t.Run("ErrPermission", func(t *testing.T) {
		h := start(t)
		for _, p := range []account.Permission{"", "ADMIN"} {
			_, err := h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "admin", Permission: p, Environment: "default"})
			invalid(t, err, "permission", "")
		}
	})
	t.Run("ErrEnvironment", func(t *testing.T) {
		h := start(t)
		for _, e := range []string{"", "a b", "a/b", "ü", strings.Repeat("e", 256)} {
			_, err := h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "admin", Permission: account.Read, Environment: e})
			invalid(t, err, "environment", "")
			_, err = h.Revoke(t.Context(), h.as("admin"), account.Revoke{Username: "admin", Environment: e})
			invalid(t, err, "environment", "")
		}
	})
	t.Run("ErrTooMany", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		all := account.Grants{}
		for i := range account.MaxEnvironments - 1 {
			all[fmt.Sprint("e", i)] = []account.Permission{account.Read}
		}
		h.rewrite("target", func(value map[string]any) { value["grants"] = all })
		grant(h, "last", account.Read)
		_, err := h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: account.Read, Environment: "more"})
		refusal(t, err, account.KindRefused, account.ReasonTooManyGrants)
		if c := grant(h, "e7", account.Write); !c.Changed {
			t.Error("another permission in one of the environments was no change")
		}
		h.must(h.Revoke(t.Context(), h.as("admin"), account.Revoke{Username: "target", Environment: "e7"}))
		grant(h, "more", account.Read)
	})
}
