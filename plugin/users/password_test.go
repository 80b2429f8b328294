package users_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestPassword(t *testing.T) {
	t.Run("TheSameIsAChange", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			before := h.create("target", account.User)
			time.Sleep(time.Minute)
			c := h.must(h.Password(t.Context(), h.as("admin"), account.Password{Username: "target", Password: account.Secret(newPassword)}))
			if !c.Changed || c.Account.Generation != before.Generation+1 || !c.Account.PasswordChangedAt.Equal(time.Now()) || !c.Account.CreatedAt.Equal(before.CreatedAt) {
				t.Errorf("got %+v, want one generation on, changed now", c)
			}
		})
	})
	t.Run("DoesNotEnable", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		if c := h.must(h.Password(t.Context(), h.as("admin"), account.Password{Username: "target", Password: account.Secret("another password")})); c.Account.Enabled {
			t.Error("the account is enabled")
		}
		_, err := h.login("target", "another password")
		refusal(t, err, account.KindNotPermitted, account.ReasonSuspended)
	})
}
