package users_test

import (
	"testing"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestSuspend(t *testing.T) {
	t.Run("RaisesTheGenerationOnce", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		c := h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		if !c.Changed || c.Account.Enabled || c.Account.Generation != before.Generation+1 {
			t.Errorf("got %+v, want a suspended account one generation on", c)
		}
		again := h.must(h.Suspend(t.Context(), h.as("admin"), "target"))
		if again.Changed || again.Account.Generation != c.Account.Generation {
			t.Errorf("got %+v, want no change", again)
		}
	})
	t.Run("ErrSelfSuspend", func(t *testing.T) {
		h := start(t)
		before := h.contents()
		for _, self := range []string{"admin", "ａｄｍｉｎ"} { // and the last enabled ADMIN too
			_, err := h.Suspend(t.Context(), h.as("admin"), self)
			refusal(t, err, account.KindRefused, account.ReasonSelfSuspend)
		}
		h.unchanged(before)
		h.create("second", account.Admin)
		_, err := h.Suspend(t.Context(), h.as("admin"), "admin")
		refusal(t, err, account.KindRefused, account.ReasonSelfSuspend)
	})
}
