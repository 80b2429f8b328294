package host_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// felling are the changes that may take an enabled ADMIN away.
var felling = []change{suspend, deleteUser, setRole(account.User)}

// TestRule7ThereIsAlwaysAnEnabledAdmin shows that administrators who delete,
// suspend and demote each other all at once never leave none: after every
// battle one of them logs in, and no commit in between leaves none either.
func TestRule7ThereIsAlwaysAnEnabledAdmin(t *testing.T) {
	t.Parallel()
	t.Run("AfterEachBattle", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		first := h.Admin()
		create(t, first, "admin0", account.Admin)
		name, survivor := "admin0", h.As("admin0", secret)
		must(deleteUser(t.Context(), survivor, anew, hosttest.Administrator))(t)
		for round := range 8 {
			names := []string{name}
			for n := range 4 {
				names = append(names, fmt.Sprintf("admin%d-%d", round, n))
				create(t, survivor, names[n+1], account.Admin)
			}
			fight(t, h, names)
			name, survivor = survivorOf(t, h, names)
		}
		for _, c := range felling[1:] {
			_, err := c(t.Context(), survivor, anew, name)
			wantKind(t, "the last one, of itself", err, account.KindRefused, account.ReasonLastAdmin)
		}
	})
	t.Run("AtEachCommit", func(t *testing.T) { t.Parallel(); adminsAtEachCommit(t) })
}

// fight lets each of the administrators fell others, and itself, until it is
// refused as one who is none any more, or all others lie.
func fight(t *testing.T, h *hosttest.Host, names []string) {
	t.Helper()
	sessions := make([]*management.Client, len(names))
	for i, name := range names {
		sessions[i] = h.As(name, secret)
	}
	var battle sync.WaitGroup
	for i, c := range sessions {
		battle.Go(func() {
			defer c.Close()
			for _, other := range rand.Perm(len(names)) {
				_, err := felling[rand.N(len(felling))](t.Context(), c, anew, names[other])
				switch account.KindOf(err) {
				case 0, account.KindNotFound, account.KindRefused:
				case account.KindNotAuthenticated:
					return
				default:
					t.Errorf("'%s' against '%s': %v", names[i], names[other], err)
				}
			}
		})
	}
	battle.Wait()
}

// survivorOf returns who can still log in. It is one, since whoever is not
// felled has felled all others; and the listing must say so.
func survivorOf(t *testing.T, h *hosttest.Host, names []string) (name string, c *management.Client) {
	t.Helper()
	var left, listed []string
	for _, n := range names {
		if in, err := h.Login(n, secret); err == nil {
			left, c = append(left, n), in
		}
	}
	if len(left) != 1 {
		t.Fatalf("%v can log in, want one", left)
	}
	for batch, err := range c.List(t.Context(), management.AccountFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range batch {
			if a.Enabled && a.Role == account.Admin {
				listed = append(listed, a.Username)
			}
		}
	}
	if !slices.Equal(left, listed) {
		t.Errorf("%v are listed as enabled ADMINs, and %v can log in", listed, left)
	}
	return left[0], c
}

// adminsAtEachCommit follows the store's changes, which come in the order of
// the commits, through battles in which ADMINs only ever fall.
func adminsAtEachCommit(t *testing.T) {
	p := assemble(t)
	chief := p.admin(t).Session.Caller()
	for round := range 10 {
		callers := []account.Caller{chief}
		for n := range 5 {
			change, err := p.plugin.Create(t.Context(), by(chief), account.Create{
				Username: fmt.Sprintf("admin%d-%d", round, n), Password: account.Secret(secret), Role: account.Admin,
			})
			if err != nil {
				t.Fatal(err)
			}
			callers = append(callers, callerOf(change.Account))
		}
		standing := map[string]account.Caller{}
		for _, c := range callers {
			standing[c.Username] = c
		}
		followed := p.follow(t, func(s account.Snapshot) {
			if !s.Enabled || s.Role != account.Admin {
				delete(standing, s.Username)
			}
			if len(standing) == 0 {
				t.Errorf("round %d: revision %d leaves no enabled ADMIN", round, s.Revision)
			}
		})
		var battle sync.WaitGroup
		for _, c := range callers {
			battle.Go(func() {
				for _, other := range rand.Perm(len(callers)) {
					fell(t, p, c, callers[other].Username)
				}
			})
		}
		battle.Wait()
		followed()
		for _, c := range standing {
			chief = c
		}
		if len(standing) != 1 {
			t.Errorf("round %d: %d are left of a battle that leaves one", round, len(standing))
		}
	}
}

// fell asks the plugin, as a host does for the caller's session.
func fell(t *testing.T, p *parts, c account.Caller, username string) {
	var err error
	switch rand.N(3) {
	case 0:
		_, err = p.plugin.Suspend(t.Context(), by(c), username)
	case 1:
		_, err = p.plugin.Delete(t.Context(), by(c), account.Delete{Username: username})
	case 2:
		_, err = p.plugin.Edit(t.Context(), by(c), account.Edit{Username: username, Role: account.User})
	}
	switch account.KindOf(err) {
	case 0, account.KindNotFound, account.KindRefused, account.KindNotAuthenticated:
	default:
		t.Errorf("'%s' against '%s': %v", c.Username, username, err)
	}
}

// by is a fresh invocation.
func by(c account.Caller) account.Invocation {
	return account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: c, Host: "host"}
}

func callerOf(a account.Account) account.Caller {
	return account.Caller{Username: a.Username, AccountID: a.ID, Generation: a.Generation}
}

// follow gives each change from now on to see, until the function that it
// returns is called, which returns when all of them have been seen.
func (p *parts) follow(t *testing.T, see func(account.Snapshot)) (followed func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	requests, beats, over := make(chan account.WatchRequest), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		err := p.plugin.Watch(ctx, requests, func(e account.WatchEvent) error {
			if e.Snapshot != nil {
				see(*e.Snapshot)
			} else {
				beats <- struct{}{}
			}
			return nil
		})
		if ctx.Err() == nil {
			t.Errorf("the change stream ended: %v", err)
		}
	}()
	beat := func() {
		t.Helper()
		select {
		case requests <- account.WatchRequest{Heartbeat: 1}:
			<-beats
		case <-over:
			t.Fatal("the change stream is over")
		}
	}
	beat()
	return func() { beat(); cancel(); <-over }
}
