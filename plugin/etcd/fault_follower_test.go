package etcd_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// follower follows a service's change stream as a host does, and writes down at
// each heartbeat what it then takes for known.
type follower struct {
	node  *node
	load  *load
	names []string
	known map[string]account.Snapshot

	mu      sync.Mutex                  // guards what follows
	last    map[string]account.Snapshot // known at the last heartbeat
	asked   time.Time                   // when that was asked for
	reached account.Revision
	backs   int // how often the store's revision was found to have gone back

	beats   atomic.Int64 // heartbeats that would have extended a lease
	streams atomic.Int64
	stop    func() // returns when it follows no more
}

// follow follows until the test ends or stop is called.
func follow(t *testing.T, n *node, l *load) *follower {
	f := &follower{node: n, load: l, names: slices.Concat(loadAdmins, loadUsers, loadGuests), known: map[string]account.Snapshot{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			f.streams.Add(1)
			f.stream(ctx)
			time.Sleep(10 * time.Millisecond)
		}
	})
	f.stop = func() { cancel(); running.Wait() }
	t.Cleanup(f.stop)
	return f
}

// stream follows one stream to its end. A stream that answers no heartbeat for
// longer than silence is given up.
func (f *follower) stream(ctx context.Context) {
	const silence = 2 * time.Second
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := time.AfterFunc(silence, cancel)
	defer silent.Stop()
	requests := make(chan account.WatchRequest, 1)
	number, sent := uint64(1), time.Now()
	requests <- account.WatchRequest{Heartbeat: number}
	f.node.service.Watch(ctx, requests, func(e account.WatchEvent) error {
		if s := e.Snapshot; s != nil {
			if s.Revision > f.known[s.Username].Revision {
				f.known[s.Username] = *s
			}
			return nil
		}
		silent.Reset(silence)
		next := account.WatchRequest{}
		if number == 1 {
			next.Read = f.names // what was missed between the streams
		} else {
			if f.beat(sent, e.Heartbeat.Revision) {
				next.Read = f.names // nobody is logged in any more; whoever logs in is read
			}
		}
		time.AfterFunc(20*time.Millisecond, func() {
			number++
			next.Heartbeat, sent = number, time.Now()
			select {
			case requests <- next:
			case <-ctx.Done():
			}
		})
		return nil
	})
}

// beat takes what is known as read between the question and now. A revision
// that went back says that the store was restored: then nothing is known.
func (f *follower) beat(asked time.Time, at account.Revision) (restored bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.beats.Add(1)
	if restored = at < f.reached; restored {
		clear(f.known)
		f.backs++
	}
	f.asked, f.reached, f.last = asked, at, maps.Clone(f.known)
	if restored {
		return true
	}
	var all []looked
	now := time.Now()
	for _, name := range f.names {
		s := f.known[name]
		all = append(all, looked{
			what: "known at a heartbeat", target: name, began: asked, ended: now,
			found: stateOf(s.ID, s.Generation, s.Role, s.Enabled, s.Grants),
		})
	}
	f.load.look(all...)
	return false
}

// knows returns what was known of an account at a heartbeat that was asked for
// from now on.
func (f *follower) knows(t *testing.T, name string) (s account.Snapshot) {
	t.Helper()
	now := time.Now()
	eventually(t, "a heartbeat is answered", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		s = f.last[name]
		return f.asked.After(now) && !s.Gone()
	})
	return s
}

// getsOn waits for so many more heartbeats.
func (f *follower) getsOn(t *testing.T, n int64) {
	t.Helper()
	want := f.beats.Load() + n
	eventually(t, "the stream answers heartbeats", func() bool { return f.beats.Load() >= want })
}
