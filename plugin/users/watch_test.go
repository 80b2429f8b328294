package users_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// stream is a Watch under way, in a synctest bubble.
type stream struct {
	t        *testing.T
	requests chan account.WatchRequest
	events   chan account.WatchEvent
	ended    chan error
	cancel   context.CancelFunc
	busy     atomic.Bool
}

// watch begins a stream, and returns when it has subscribed.
func watch(t *testing.T, h *harness) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &stream{t: t, requests: make(chan account.WatchRequest, 100), events: make(chan account.WatchEvent, 10000), ended: make(chan error, 1), cancel: cancel}
	go func() {
		s.ended <- h.Watch(ctx, s.requests, func(e account.WatchEvent) error {
			if s.busy.Swap(true) {
				t.Error("deliver was called from two goroutines at once")
			}
			s.events <- e
			s.busy.Store(false)
			return nil
		})
	}()
	t.Cleanup(cancel)
	synctest.Wait()
	return s
}

// got returns what has been delivered when nothing more can happen.
func (s *stream) got() (events []account.WatchEvent) {
	s.t.Helper()
	synctest.Wait()
	for {
		select {
		case e := <-s.events:
			events = append(events, e)
		default:
			return events
		}
	}
}

func (s *stream) expect(want ...account.WatchEvent) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.got()); diff != "" {
		s.t.Error(diff)
	}
}

func (h *harness) storeID() string {
	h.t.Helper()
	d, err := unconfigured(h.t, &hooked{Store: unclosed{h.store.Store}}).Configure(h.t.Context(), account.Configuration{})
	if err != nil {
		h.t.Fatal(err)
	}
	return d.StoreID
}

func (h *harness) revision() (at account.Revision) {
	h.t.Helper()
	h.view(func(r users.Reader) error {
		at = r.Revision()
		return nil
	})
	return at
}

func snapshot(s account.Snapshot) account.WatchEvent { return account.WatchEvent{Snapshot: &s} }

func heartbeat(number uint64, at account.Revision, store string) account.WatchEvent {
	return account.WatchEvent{Heartbeat: &account.Heartbeat{Number: number, Revision: at, StoreID: store, Load: &account.Load{}}}
}

// inBubble runs a case over a harness in a synctest bubble, where "nothing has
// been delivered" can be told, and where a goroutine left behind fails the test.
func inBubble(t *testing.T, name string, test func(t *testing.T, h *harness)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			synctest.Wait() // its background work rests, and test may exchange the store
			test(t, h)
		})
	})
}

func TestWatch(t *testing.T) {
	inBubble(t, "Changes", func(t *testing.T, h *harness) {
		s := watch(t, h)
		var want []account.WatchEvent
		for range 2 { // the second time over the name's next account
			for _, name := range []account.Verb{"create", "grant", "revoke", "suspend", "enable", "password", "edit", "delete"} {
				v := verbs[slices.IndexFunc(verbs, func(v verb) bool { return v.name == name })]
				c := h.must(v.call(h, h.as("admin"), "target"))
				if !c.Changed {
					t.Fatalf("%s changed nothing", name)
				}
				want = append(want, snapshot(c.Snapshot()))
			}
		}
		h.must(h.Enable(t.Context(), h.as("admin"), "admin")) // changes nothing
		s.expect(want...)
	})
	inBubble(t, "Read", func(t *testing.T, h *harness) {
		target := h.create("target", account.User)
		s, at := watch(t, h), h.revision()
		s.requests <- account.WatchRequest{Read: []string{"target", "nobody", "", "two words", "ｔａｒｇｅｔ"}}
		s.expect(
			snapshot(target.Snapshot(at)),
			snapshot(account.Snapshot{Username: "nobody", Revision: at}),
			snapshot(account.Snapshot{Revision: at}),
			snapshot(account.Snapshot{Username: "two words", Revision: at}),
			snapshot(account.Snapshot{Username: "ｔａｒｇｅｔ", Revision: at}),
		)
	})
	inBubble(t, "Heartbeat", func(t *testing.T, h *harness) {
		s, id := watch(t, h), h.storeID()
		s.requests <- account.WatchRequest{Heartbeat: 7}
		s.expect(heartbeat(7, h.revision(), id))
		s.requests <- account.WatchRequest{Heartbeat: 8} // again, on a quiet store
		s.expect(heartbeat(8, h.revision(), id))
		h.must(h.Enable(t.Context(), h.as("admin"), "admin")) // a commit that moves no account
		s.requests <- account.WatchRequest{Heartbeat: 9}
		s.expect(heartbeat(9, h.revision(), id))
	})
	inBubble(t, "HeartbeatComesAfterTheChangesBeforeIt", func(t *testing.T, h *harness) {
		h.create("target", account.User)
		s, id := watch(t, h), h.storeID()
		var want []account.WatchEvent
		for range 20 {
			want = append(want,
				snapshot(h.must(h.Suspend(t.Context(), h.as("admin"), "target")).Snapshot()),
				snapshot(h.must(h.Enable(t.Context(), h.as("admin"), "target")).Snapshot()))
		}
		s.requests <- account.WatchRequest{Heartbeat: 1}
		s.expect(append(want, heartbeat(1, h.revision(), id))...)
	})
	inBubble(t, "InTheOrderOfRequests", func(t *testing.T, h *harness) {
		target := h.create("target", account.User)
		id, at := h.storeID(), h.revision()
		w := &slowWatcher{holds: progress, allow: make(chan struct{}, 100)}
		h.store.Store = slowStore{h.store.Store, w}
		s := watch(t, h)
		s.requests <- account.WatchRequest{Heartbeat: 1}
		s.requests <- account.WatchRequest{Read: []string{"target"}}
		s.requests <- account.WatchRequest{Read: []string{"nobody"}, Heartbeat: 2}
		s.expect() // until the stream passes the first heartbeat, nothing after it is answered
		w.allow <- struct{}{}
		s.expect(
			heartbeat(1, at, id), snapshot(target.Snapshot(at)),
			snapshot(account.Snapshot{Username: "nobody", Revision: at}),
			heartbeat(2, at, id)) // nothing was committed since the first
		h.must(h.Enable(t.Context(), h.as("admin"), "admin"))
		w.allow <- struct{}{} // of the second heartbeat
		s.requests <- account.WatchRequest{Heartbeat: 3}
		s.expect()
		w.allow <- struct{}{}
		s.expect(heartbeat(3, at+1, id))
	})
	inBubble(t, "NoHeartbeatWhileTheStoreStalls", func(t *testing.T, h *harness) {
		target := h.create("target", account.User)
		s, id := watch(t, h), h.storeID()
		release := make(chan struct{})
		h.store.set(func(hs *hooked) {
			hs.beforeView = func(ctx context.Context) error {
				select {
				case <-release:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
		s.requests <- account.WatchRequest{Heartbeat: 1}
		s.requests <- account.WatchRequest{Read: []string{"target"}}
		time.Sleep(time.Hour)
		s.expect()
		c := h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: account.Read, Environment: "e"}))
		s.expect(snapshot(c.Snapshot())) // changes go on
		close(release)
		target.Grants = c.Account.Grants
		s.expect(heartbeat(1, h.revision(), id), snapshot(target.Snapshot(h.revision())))
	})
	inBubble(t, "NoHeartbeatWhileTheStreamStalls", func(t *testing.T, h *harness) {
		w := &slowWatcher{holds: progress, allow: make(chan struct{})}
		h.store.Store = slowStore{h.store.Store, w}
		s := watch(t, h)
		s.requests <- account.WatchRequest{Heartbeat: 1}
		time.Sleep(time.Hour)
		s.expect()
	})
	inBubble(t, "HeartbeatComesAfterTheWholeCommit", func(t *testing.T, h *harness) {
		h.create("target", account.User)
		id, named := h.storeID(), 0
		w := &slowWatcher{allow: make(chan struct{}), holds: func(e users.Event) bool {
			named++ // of two changes in one commit, the second
			return named == 2
		}}
		h.store.Store = slowStore{h.store.Store, w}
		s := watch(t, h)
		copies(h, "target", 2)
		s.requests <- account.WatchRequest{Heartbeat: 1}
		if got := s.got(); len(got) != 1 || got[0].Snapshot == nil {
			t.Errorf("got %v, want the first change alone", got)
		}
		w.allow <- struct{}{}
		if got := s.got(); len(got) != 2 || !cmp.Equal(got[1], heartbeat(1, h.revision(), id)) {
			t.Errorf("got %v, want the second change and the heartbeat", got)
		}
	})
	inBubble(t, "HeartbeatTellsTheLoad", func(t *testing.T, h *harness) {
		s := watch(t, h)
		beat := func(number uint64, want account.Load) {
			t.Helper()
			s.requests <- account.WatchRequest{Heartbeat: number}
			if got := s.got(); len(got) != 1 || got[0].Heartbeat == nil || *got[0].Heartbeat.Load != want {
				t.Errorf("got %+v, want a heartbeat with %+v", got, want)
			}
		}
		done := h.Occupy()
		beat(1, account.Load{Hashing: 1})
		done()
		synctest.Wait()
		beat(2, account.Load{})
	})
	inBubble(t, "ReadsAfterTheRequest", func(t *testing.T, h *harness) {
		s, id := watch(t, h), h.storeID()
		before := h.revision()
		h.must(h.Enable(t.Context(), h.as("admin"), "admin"))
		s.requests <- account.WatchRequest{Heartbeat: 1}
		s.expect(heartbeat(1, before+1, id))
	})
	inBubble(t, "ErrTooManyNames", func(t *testing.T, h *harness) {
		s := watch(t, h)
		s.requests <- account.WatchRequest{Read: make([]string, account.MaxBatch)}
		if n := len(s.got()); n != account.MaxBatch {
			t.Errorf("%d snapshots of %d names", n, account.MaxBatch)
		}
		s.requests <- account.WatchRequest{Read: make([]string, account.MaxBatch+1)}
		invalid(t, <-s.ended, "read", "")
	})
	inBubble(t, "ErrFellBehind", func(t *testing.T, h *harness) {
		requests, stuck := make(chan account.WatchRequest), make(chan struct{})
		ended := make(chan error)
		go func() {
			ended <- h.Watch(t.Context(), requests, func(account.WatchEvent) error {
				<-stuck
				return nil
			})
		}()
		synctest.Wait()
		for i := range mem.MaxUnread + 10 {
			p := account.Write
			if i%2 == 0 {
				h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "admin", Permission: p, Environment: "e"}))
				continue
			}
			h.must(h.Revoke(t.Context(), h.as("admin"), account.Revoke{Username: "admin", Environment: "e"}))
		}
		close(stuck)
		refusal(t, <-ended, account.KindConflict, "")
	})
	inBubble(t, "EndsWithItsRequests", func(t *testing.T, h *harness) {
		s, id := watch(t, h), h.storeID()
		s.requests <- account.WatchRequest{Heartbeat: 1}
		close(s.requests)
		s.expect(heartbeat(1, h.revision(), id))
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
	inBubble(t, "EndsWithItsContext", func(t *testing.T, h *harness) {
		for _, stall := range []func(context.Context) error{nil, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }} {
			s := watch(t, h)
			h.store.set(func(hs *hooked) { hs.beforeView = stall })
			s.requests <- account.WatchRequest{Heartbeat: 1}
			s.got()
			s.cancel()
			if err := <-s.ended; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the context's error", err)
			}
			h.store.set(func(hs *hooked) { hs.beforeView = nil })
		}
	})
	inBubble(t, "EndsWithDeliver", func(t *testing.T, h *harness) {
		full := errors.New("the receiver is gone")
		requests := make(chan account.WatchRequest, 1)
		requests <- account.WatchRequest{Read: []string{"admin"}}
		if err := h.Watch(t.Context(), requests, func(account.WatchEvent) error { return full }); err != full {
			t.Errorf("got %v, want deliver's own error", err)
		}
	})
	t.Run("EndsWithTheStore", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, &hooked{Store: mem.New()}, nil)
			s := watch(t, h)
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			refusal(t, <-s.ended, account.KindUnavailable, "")
		})
	})
	inBubble(t, "ErrReplacedByANewerFormat", func(t *testing.T, h *harness) {
		s := watch(t, h)
		h.put("store", map[string]any{"format": 3})
		s.requests <- account.WatchRequest{Heartbeat: 1}
		s.expect()
		refusal(t, <-s.ended, account.KindUnsupported, "")
	})
	inBubble(t, "TellsAReplacedStore", func(t *testing.T, h *harness) {
		s := watch(t, h)
		h.put("store", map[string]any{"format": 1, "store_id": "another", "created_at": time.Now()})
		s.requests <- account.WatchRequest{Heartbeat: 1}
		s.expect(heartbeat(1, h.revision(), "another"))
	})
	inBubble(t, "ErrStore", func(t *testing.T, h *harness) {
		s := watch(t, h)
		h.store.set(func(hs *hooked) {
			hs.beforeView = func(context.Context) error { return fmt.Errorf("no answer") }
		})
		s.requests <- account.WatchRequest{Heartbeat: 1}
		if err := <-s.ended; account.KindOf(err) != account.KindInternal || err.Error() != "watch the store: no answer" {
			t.Errorf("got %v", err)
		}
		h.store.set(func(hs *hooked) { hs.beforeView = nil })
	})
}

// slowStore has one watcher, which holds some events back until it is allowed
// to pass them.
type slowStore struct {
	users.Store
	w *slowWatcher
}

func (s slowStore) Watch(ctx context.Context) (w users.Watcher, err error) {
	s.w.Watcher, err = s.Store.Watch(ctx)
	return s.w, err
}

type slowWatcher struct {
	users.Watcher
	holds func(users.Event) bool
	allow chan struct{}
}

func progress(e users.Event) bool { return e.Name == "" }

func (w *slowWatcher) Next(ctx context.Context) (users.Event, error) {
	e, err := w.Watcher.Next(ctx)
	if err == nil && w.holds(e) {
		select {
		case <-w.allow:
		case <-ctx.Done():
			return e, ctx.Err()
		}
	}
	return e, err
}
