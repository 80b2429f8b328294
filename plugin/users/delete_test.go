package users_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestDelete(t *testing.T) {
	t.Run("Gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			target := h.create("target", account.User)
			if _, err := h.login("target", newPassword); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // for the login to be written down
			c := h.must(h.Delete(t.Context(), h.as("admin"), account.Delete{Username: "target"}))
			want := account.Change{Changed: true, Gone: true, Revision: c.Revision,
				Account: account.Account{ID: target.ID, Generation: target.Generation, Username: "target"}}
			if diff := cmp.Diff(want, c); diff != "" {
				t.Error(diff)
			}
			for key := range h.contents() {
				if strings.Contains(key, "target") || strings.Contains(key, string(target.ID)) {
					t.Errorf("the store still has %s", key)
				}
			}
			_, err := h.login("target", newPassword)
			refusal(t, err, account.KindNotAuthenticated, "")
		})
	})
	t.Run("IfExists", func(t *testing.T) {
		h := start(t)
		c := h.must(h.Delete(t.Context(), h.as("admin"), account.Delete{Username: "nobody", IfExists: true}))
		want := account.Change{Gone: true, Revision: c.Revision, Account: account.Account{Username: "nobody"}}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Error(diff)
		}
	})
}
