package users_test

import (
	"testing"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestEnable(t *testing.T) {
	t.Run("RaisesTheGenerationOnce", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		c := h.must(h.Enable(t.Context(), h.as("admin"), "target"))
		if !c.Changed || !c.Account.Enabled || c.Account.Generation != before.Generation+2 {
			t.Errorf("got %+v, want an enabled account two generations on", c)
		}
		if c := h.must(h.Enable(t.Context(), h.as("admin"), "target")); c.Changed || c.Account.Generation != before.Generation+2 {
			t.Errorf("got %+v, want no change", c)
		}
		if _, err := h.login("target", newPassword); err != nil {
			t.Error(err)
		}
	})
}
