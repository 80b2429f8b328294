package users_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestEveryVerb(t *testing.T) {
	t.Run("ErrBadName", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			before := h.contents()
			for _, name := range []string{"", "two words", "tab\t", "nul\x00", "\xff", strings.Repeat("n", 256)} {
				_, err := v.call(h, h.as("admin"), name)
				invalid(t, err, "username", "")
			}
			h.unchanged(before)
		})
	})
	t.Run("NormalizesTheName", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			c := h.must(v.call(h, h.as("admin"), "ｔａｒｇｅｔ"))
			if c.Account.Username != "target" || c.Account.ID == "" {
				t.Errorf("got %+v, want a change of target", c)
			}
		})
	})
	t.Run("ErrNotFound", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			if v.name == account.VerbCreate || v.name == account.VerbApply {
				return // makes it
			}
			before := h.contents()
			_, err := v.call(h, h.as("admin"), "nobody")
			refusal(t, err, account.KindNotFound, "")
			if e, ok := err.(*account.Error); !ok || e.Subject != "nobody" {
				t.Errorf("got %#v, want the subject nobody", err)
			}
			h.unchanged(before)
		})
	})
	t.Run("AnswersWhatIsStored", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			if _, err := h.login("target", newPassword); err != nil {
				t.Fatal(err)
			}
			c := h.must(v.call(h, h.as("admin"), "target"))
			if v.name == account.VerbDelete {
				if !c.Gone || c.Account.Role != "" {
					t.Errorf("got %+v of a deletion", c)
				}
				return
			}
			shown, err := h.Show(t.Context(), h.caller("admin"), "target")
			if err != nil {
				t.Fatal(err)
			}
			c.Account.LastLoginAt = shown.LastLoginAt // may come in between
			if diff := cmp.Diff(shown, c.Account); diff != "" || c.Gone {
				t.Error(diff, c.Gone)
			}
		})
	})
	t.Run("RevisionIsTheCommits", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			first := h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: account.Read, Environment: "e"}))
			if c := h.must(v.call(h, h.as("admin"), "target")); c.Revision <= first.Revision {
				t.Errorf("revision %d came after %d", c.Revision, first.Revision)
			}
		})
	})
}
