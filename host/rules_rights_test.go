package host_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule8RightsAreCheckedAtCommit shows that a change is refused whose caller
// loses its rights while the change is on its way, after the host has let it
// in; and that nobody suspends themselves.
func TestRule8RightsAreCheckedAtCommit(t *testing.T) {
	t.Parallel()
	t.Run("LostOnTheWay", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		for what, take := range map[string]change{
			"demoted": setRole(account.User), "suspended": suspend, "deleted": deleteUser, "password changed": setPassword("another from now on"),
		} {
			if !lostOnTheWay(t, h, what, take) {
				t.Errorf("%s: in no attempt was the change still on its way when the rights were taken", what)
			}
		}
	})
	t.Run("SelfSuspension", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		admin := h.Admin()
		for _, self := range []string{hosttest.Administrator, "ａｄｍｉｎ"} { // as it is stored, and full-width
			_, err := admin.Suspend(t.Context(), anew, self)
			wantKind(t, "the last one, "+self, err, account.KindRefused, account.ReasonSelfSuspend)
		}
		create(t, admin, "second", account.Admin)
		_, err := admin.Suspend(t.Context(), anew, hosttest.Administrator)
		wantKind(t, "one of two", err, account.KindRefused, account.ReasonSelfSuspend)
		if _, err := admin.Request(t.Context()); err != nil {
			t.Errorf("a refused suspension ended the session: %v", err)
		}
		if !show(t, admin, hosttest.Administrator).Enabled {
			t.Error("a refused suspension took effect")
		}
	})
}

// lostOnTheWay lets a creation wait for its hash behind other hashes, takes its
// caller's rights away meanwhile, and wants it to be refused. An attempt in
// which the creation was faster, or waited too long for its hash, shows nothing,
// and is made again; false if all of them were like that.
func lostOnTheWay(t *testing.T, h *hosttest.Host, what string, take change) bool {
	t.Helper()
	admin := h.Admin()
	for range 10 {
		attempt := rand.Uint32()
		caller, created := fmt.Sprintf("caller%d", attempt), fmt.Sprintf("created%d", attempt)
		create(t, admin, caller, account.Admin)
		c := h.As(caller, secret)
		var queue sync.WaitGroup
		for range 12 {
			queue.Go(func() {
				admin.CheckPassword(t.Context(), account.Password{Username: hosttest.Administrator, Password: account.Secret(secret)})
			})
		}
		// Calls are counted when they are let in.
		hosttest.Await(t, "the hashes are waited for", func() bool {
			for _, row := range sessionsOf(t, h, hosttest.Administrator) {
				if row.CurrentCall != nil && row.CurrentCall.Method == "CheckPassword" {
					return true
				}
			}
			return false
		})
		outcome := make(chan error, 1)
		go func() {
			_, err := createUser(t.Context(), c, anew, created)
			outcome <- err
		}()
		awaitCall(t, h, caller, "Create")
		must(take(t.Context(), admin, anew, caller))(t)
		_, err := admin.Show(t.Context(), created)
		early := err == nil
		err = <-outcome
		queue.Wait()
		if early || account.KindOf(err) == account.KindThrottled {
			continue
		}
		wantKind(t, what+": the creation", err, account.KindNotAuthenticated, "")
		_, err = admin.Show(t.Context(), created)
		wantKind(t, what+": what was to be created", err, account.KindNotFound, "")
		return true
	}
	return false
}
