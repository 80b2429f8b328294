package users_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestShow(t *testing.T) {
	t.Run("Account", func(t *testing.T) {
		h := start(t)
		want := h.create("target", account.User)
		got, err := h.Show(t.Context(), h.caller("admin"), "ｔａｒｇｅｔ")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	t.Run("ErrNotFound", func(t *testing.T) {
		h := start(t)
		_, err := h.Show(t.Context(), h.caller("admin"), "nobody")
		refusal(t, err, account.KindNotFound, "")
	})
	t.Run("ErrBadName", func(t *testing.T) {
		h := start(t)
		_, err := h.Show(t.Context(), h.caller("admin"), "two words")
		invalid(t, err, "username", "")
	})
	t.Run("ErrNewerFields", func(t *testing.T) {
		// What this release does not know it must not lose by writing it back.
		h := start(t)
		h.create("target", account.User)
		h.rewrite("target", func(value map[string]any) { value["second_factor"] = true })
		_, err := h.Enable(t.Context(), h.as("admin"), "target")
		refusal(t, err, account.KindInternal, "")
		_, err = h.Show(t.Context(), h.caller("admin"), "target")
		refusal(t, err, account.KindInternal, "")
	})
}

func TestExists(t *testing.T) {
	h := start(t)
	for name, want := range map[string]bool{"admin": true, "ａｄｍｉｎ": true, "Admin": false, "nobody": false, "": false, "two words": false, "\xff": false} {
		if got, err := h.Exists(t.Context(), name); got != want || err != nil {
			t.Errorf("Exists(%q) = %t, %v", name, got, err)
		}
	}
}
