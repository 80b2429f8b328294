package users_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/shared/account"
)

const regained = "regained by the operator"

func recovery(username string) account.Recovery {
	return account.Recovery{Username: username, Password: account.Secret(regained), RequestID: account.NewRequestID(time.Now()), Host: "host"}
}

func TestRecover(t *testing.T) {
	t.Run("ASuspendedUSER", func(t *testing.T) {
		h := start(t)
		h.create("jeff", account.User)
		h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "jeff", Permission: account.Read, Environment: "default"}))
		h.must(h.Suspend(t.Context(), h.as("admin"), "jeff"))
		before := h.kept("jeff")
		c := h.must(h.Recover(t.Context(), recovery("jeff")))
		if !c.Changed || c.Repeated || c.Account.Role != account.Admin || !c.Account.Enabled || !c.Account.Grants.Holds("default", account.Read) {
			t.Errorf("it came to %+v", c)
		}
		if after := h.kept("jeff"); after.ID != before.ID || after.Generation != before.Generation+3 {
			t.Errorf("%+v became %+v, want the same id, and three generations more", before, after)
		}
		if _, err := h.login("jeff", regained); err != nil {
			t.Error(err)
		}
		h.checkAdmins()
		h.must(h.Suspend(t.Context(), h.as("jeff"), "admin"))
	})
	t.Run("AnEnabledADMIN", func(t *testing.T) {
		h := start(t)
		before := h.kept("admin")
		h.must(h.Recover(t.Context(), recovery("admin")))
		if after := h.kept("admin"); after.Generation != before.Generation+1 {
			t.Errorf("generation %d became %d", before.Generation, after.Generation)
		}
		_, err := h.login("admin", adminPassword)
		refusal(t, err, account.KindNotAuthenticated, "")
	})
	t.Run("NamesNormalized", func(t *testing.T) {
		h := start(t)
		h.create("Zoë", account.User)
		if c := h.must(h.Recover(t.Context(), recovery("Zoe\u0308"))); c.Account.Username != "Zoë" {
			t.Errorf("it came to %+v", c)
		}
	})
	t.Run("Once", func(t *testing.T) {
		h := start(t)
		r := recovery("admin")
		first := h.must(h.Recover(t.Context(), r))
		again := h.must(h.Recover(t.Context(), r))
		if !again.Repeated || !again.Changed || again.Account.Generation != first.Account.Generation {
			t.Errorf("the repeat came to %+v after %+v", again, first)
		}
		records, _, err := h.Records(t.Context(), account.RequestID{})
		if err != nil || len(records) != 1 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		if got := records[0]; got.Verb != account.VerbRecover || got.Target != "admin" || got.Caller != "" || got.CallerName != "" ||
			got.Host != "host" || !got.Changed || got.RequestID != r.RequestID {
			t.Errorf("the record says %+v", got)
		}
		h.create("jeff", account.User)
		r.Username = "jeff"
		_, err = h.Recover(t.Context(), r)
		refusal(t, err, account.KindInvalid, account.ReasonRequestReused)
	})
	t.Run("ErrPassword", func(t *testing.T) {
		h := start(t)
		before := h.contents()
		for _, bad := range []string{"", "short"} {
			r := recovery("admin")
			r.Password = account.Secret(bad)
			_, err := h.Recover(t.Context(), r)
			refusal(t, err, account.KindInvalid, account.ReasonPasswordPolicy)
		}
		h.unchanged(before)
	})
	t.Run("ErrRequestID", func(t *testing.T) {
		h := start(t)
		r := recovery("admin")
		r.RequestID = account.NewRequestID(time.Now().Add(-2 * time.Hour))
		_, err := h.Recover(t.Context(), r)
		refusal(t, err, account.KindInvalid, account.ReasonRequestExpired)
		r.RequestID = account.RequestID{}
		_, err = h.Recover(t.Context(), r)
		invalid(t, err, "request_id", "")
	})
	t.Run("ErrUsername", func(t *testing.T) {
		_, err := start(t).Recover(t.Context(), recovery("a b"))
		invalid(t, err, "username", "")
	})
	t.Run("ErrNotFound", func(t *testing.T) {
		h := start(t)
		wants := func(says string) {
			t.Helper()
			_, err := h.Recover(t.Context(), recovery("amin"))
			refusal(t, err, account.KindNotFound, "")
			if err == nil || err.Error() != "a user named 'amin' does not exist; "+says {
				t.Errorf("it says %q, want %q", err, says)
			}
		}
		h.create("jeff", account.User)
		wants("the only ADMIN is admin")
		h.create("root", account.Admin)
		h.create("idle", account.Admin)
		h.must(h.Suspend(t.Context(), h.as("admin"), "idle"))
		wants("the ADMINs are admin, root")
		for i := range 3 {
			h.create(fmt.Sprint("spare", i), account.Admin)
		}
		wants("the ADMINs are admin, root, spare0, spare1, spare2")
		h.create("zoe", account.Admin)
		wants("among the ADMINs are admin, root, spare0, spare1, spare2")
	})
	t.Run("ErrNotInitialised", func(t *testing.T) {
		_, err := open(t, &hooked{Store: mem.New()}, nil).Recover(t.Context(), recovery("admin"))
		refusal(t, err, account.KindNotFound, "")
		if err == nil || !strings.Contains(err.Error(), "no accounts yet") {
			t.Errorf("it says %q", err)
		}
	})
}
