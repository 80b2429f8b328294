package users_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestRevoke(t *testing.T) {
	t.Run("OneEnvironment", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		for _, e := range []string{"default", "other"} {
			for _, p := range []account.Permission{account.Read, account.Write} {
				h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: p, Environment: e}))
			}
		}
		c := h.must(h.Revoke(t.Context(), h.as("admin"), account.Revoke{Username: "target", Environment: "default"}))
		want := account.Grants{"other": {account.Read, account.Write}}
		if diff := cmp.Diff(want, c.Account.Grants); diff != "" || !c.Changed || c.Note != "" || c.Account.Generation != before.Generation {
			t.Errorf("%s in %+v", diff, c)
		}
		if c := h.must(h.Revoke(t.Context(), h.as("admin"), account.Revoke{Username: "target", Environment: "default"})); c.Changed {
			t.Errorf("got %+v, want no change", c)
		}
	})
	t.Run("NoteForAnAdmin", func(t *testing.T) {
		h := start(t)
		in := h.as("admin")
		for range 2 { // the second is a repeat
			c := h.must(h.Revoke(t.Context(), in, account.Revoke{Username: "admin", Environment: "default"}))
			if !strings.Contains(c.Note, "ADMIN") || c.Changed {
				t.Errorf("got %+v, want a note on the role", c)
			}
		}
	})
}
