package relay_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/shared/account"
)

// settled fails the test unless what the shares hold goes away.
func (w *world) settled() {
	w.Helper()
	hosttest.Await(w, "nothing is kept of who makes no call", func() bool {
		accounts, waiting := w.Shares()
		return accounts == 0 && waiting == 0
	})
}

// One account, in however many sessions, leaves room for the others.
func TestShares(t *testing.T) {
	const share = 7
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = share+1, 300*time.Millisecond })
	ann, again, bob := w.login("ann", "default:READ"), w.login("ann", "default:READ"), w.login("bob", "default:READ")
	released, answered := make(chan struct{}), make(chan error)
	w.server.Always("ping", upstream.Until(released, nil))
	for i := range share {
		[]*client{ann, again}[i%2].goCall(answered, "ping", read)
	}
	hosttest.Await(t, "the account has its share", func() bool { return len(w.server.Calls("ping")) == share })
	for _, k := range []*client{ann, again} {
		err := k.wantsKind(account.KindUnavailable, "time", read)
		if err != nil && !strings.Contains(err.Error(), "'ann' has too many calls under way") {
			t.Errorf("the refusal is %v", err)
		}
	}
	bob.do("time", read)
	if n := len(w.server.Calls("time")); n != 1 {
		t.Errorf("%d calls went upstream besides, want 1", n)
	}
	close(released)
	for range share {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
	ann.do("time", read)
	w.settled()
}

// Whoever waits has a turn, unless it goes.
func TestShares_Wait(t *testing.T) {
	const waiting = 5
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = 2, time.Minute })
	k := w.login("ann", "default:READ")
	released, answered, gone := make(chan struct{}), make(chan error), make(chan error)
	w.server.Next("ping", upstream.Until(released, nil))
	k.goCall(answered, "ping", read)
	hosttest.Await(t, "the account has its share", func() bool { return len(w.server.Calls("ping")) == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	k.goCall(gone, "time", call{environment: "default", ctx: ctx})
	for range waiting {
		k.goCall(answered, "time", read)
	}
	hosttest.Await(t, "they wait", func() bool {
		_, n := w.Shares()
		return n == 1+waiting
	})
	cancel()
	if err := <-gone; account.KindOf(err) != account.KindUnavailable {
		t.Errorf("time = %v, want that it is unavailable", err)
	}
	close(released)
	for range 1 + waiting {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
	w.settled()
}

// A turn that comes as its call gives up is passed on.
func TestShares_GiveUp(t *testing.T) {
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = 2, 200*time.Microsecond })
	k := w.login("ann", "default:READ")
	w.server.Always("ping", upstream.Slowly(10*time.Microsecond, 10, nil))
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			for range 50 {
				k.call("ping", read) // answered or not
			}
		})
	}
	calls.Wait()
	w.settled()
}

// Calls that anybody can make leave room for the sessions'.
func TestRelay_Strangers(t *testing.T) {
	for outcome, c := range map[string]struct{ connections, most int }{
		"Few":  {4, 3},
		"Many": {64, 4},
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = c.connections, time.Minute })
			k := w.login("ann", "default:READ")
			released, answered := make(chan struct{}), make(chan error)
			w.server.Always("getServerVersion", upstream.Until(released, nil))
			for range c.most {
				k.goCall(answered, "getServerVersion", call{})
			}
			hosttest.Await(t, "they are under way", func() bool { return len(w.server.Calls("getServerVersion")) == c.most })
			for range 10 {
				k.wantsKind(account.KindUnavailable, "getServerVersion", call{})
			}
			k.do("ping", read)
			close(released)
			for range c.most {
				if err := <-answered; err != nil {
					t.Error(err)
				}
			}
			k.do("getServerVersion", call{})
		})
	}
}
