package users_test

import (
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestCheckPassword(t *testing.T) {
	check := func(h *harness, username, password string) (bool, error) {
		return h.CheckPassword(t.Context(), h.caller("admin"), account.Password{Username: username, Password: account.Secret(password)})
	}
	t.Run("Says", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		h.create("suspended", account.User)
		h.must(h.Suspend(t.Context(), h.as("admin"), "suspended"))
		before := h.contents()
		for _, username := range []string{"target", "suspended"} {
			for password, want := range map[string]bool{newPassword: true, "wrong password": false, "": false, "\xff": false, strings.Repeat("p", 1025): false} {
				if got, err := check(h, username, password); got != want || err != nil {
					t.Errorf("%s with %.20q: %t, %v", username, password, got, err)
				}
			}
		}
		h.unchanged(before)
	})
	t.Run("ErrNotFound", func(t *testing.T) {
		_, err := check(start(t), "nobody", newPassword)
		refusal(t, err, account.KindNotFound, "")
	})
	t.Run("ErrBadName", func(t *testing.T) {
		_, err := check(start(t), "two words", newPassword)
		invalid(t, err, "username", "")
	})
}
