package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// deliver hands one event to the host.
type deliver func(account.WatchEvent) error

// Faults of the stream.
var _ = add(map[string]fault{
	"forgets-deletions": {users: delivering(func(d deliver) deliver {
		return func(e account.WatchEvent) error {
			if e.Snapshot != nil && e.Snapshot.Gone() {
				return nil
			}
			return d(e)
		}
	})},
	"loses-a-change": {users: delivering(func(d deliver) deliver {
		n := 0
		return func(e account.WatchEvent) error {
			if e.Snapshot != nil {
				if n++; n%4 == 0 {
					return nil
				}
			}
			return d(e)
		}
	})},
	"sends-stale-snapshots": {users: delivering(func(d deliver) deliver {
		before, newest := map[string]account.Snapshot{}, map[string]account.Snapshot{}
		return func(e account.WatchEvent) error {
			if e.Snapshot != nil {
				is := *e.Snapshot
				if last, ok := newest[is.Username]; ok && last.Revision < is.Revision {
					before[is.Username] = last
				}
				newest[is.Username] = is
				if stale, ok := before[is.Username]; ok {
					stale.Revision = is.Revision
					e.Snapshot = &stale
				}
			}
			return d(e)
		}
	})},
	"sends-snapshots-in-any-order": {users: delivering(func(d deliver) deliver {
		var held []account.WatchEvent
		return func(e account.WatchEvent) error {
			if e.Snapshot != nil {
				held = append(held, e)
				return nil
			}
			slices.Reverse(held)
			for _, h := range held {
				if err := d(h); err != nil {
					return err
				}
			}
			held = nil
			return d(e)
		}
	})},
	"heartbeat-before-the-changes": {users: delivering(func(d deliver) deliver {
		var mu sync.Mutex
		one := func(e account.WatchEvent) error {
			mu.Lock()
			defer mu.Unlock()
			return d(e)
		}
		return func(e account.WatchEvent) error {
			if e.Snapshot == nil {
				return one(e)
			}
			time.AfterFunc(200*time.Millisecond, func() { one(e) })
			return nil
		}
	})},
	"heartbeat-of-an-old-read": {users: delivering(func(d deliver) deliver {
		var first account.Revision
		return func(e account.WatchEvent) error {
			if e.Heartbeat != nil {
				if first == 0 {
					first = e.Heartbeat.Revision
				}
				e.Heartbeat.Revision = first
			}
			return d(e)
		}
	})},
	"heartbeat-of-another-number": {users: delivering(func(d deliver) deliver {
		n := 0
		return func(e account.WatchEvent) error {
			if e.Heartbeat != nil {
				if n++; n > 3 {
					e.Heartbeat.Number--
				}
			}
			return d(e)
		}
	})},
	"heartbeat-of-another-store": {users: delivering(func(d deliver) deliver {
		return func(e account.WatchEvent) error {
			if e.Heartbeat != nil {
				e.Heartbeat.StoreID += "-other"
			}
			return d(e)
		}
	})},
	"reads-a-hundred-names": {users: requested(func(r *account.WatchRequest) { r.Read = r.Read[:min(len(r.Read), 100)] })},
	"takes-any-number-of-names": {users: requested(func(r *account.WatchRequest) {
		r.Read = r.Read[:min(len(r.Read), account.MaxBatch)]
	})},
	"feeds-one-stream": {users: func(u account.Users) account.Users {
		var open atomic.Int32
		return &watching{Users: u, wrap: func(d deliver) deliver {
			second := open.Add(1) > 1
			return func(e account.WatchEvent) error {
				if second && e.Snapshot != nil {
					return nil
				}
				return d(e)
			}
		}}
	}},
	"never-ends-a-stream":     {users: func(u account.Users) account.Users { return &watching{Users: u, endless: true} }},
	"keeps-cancelled-streams": {users: func(u account.Users) account.Users { return &watching{Users: u, places: make(chan struct{}, 32)} }},
	"drops-what-a-slow-reader-misses": {store: func(s users.Store) users.Store {
		return dropping{wrapped{Store: s, Replacer: s.(users.Replacer)}}
	}},
})

// watching serves streams in which something is wrong.
type watching struct {
	account.Users
	wrap    func(deliver) deliver
	alter   func(*account.WatchRequest)
	endless bool
	places  chan struct{} // taken, and never given back
}

func delivering(wrap func(deliver) deliver) func(account.Users) account.Users {
	return func(u account.Users) account.Users { return &watching{Users: u, wrap: wrap} }
}

func requested(alter func(*account.WatchRequest)) func(account.Users) account.Users {
	return func(u account.Users) account.Users { return &watching{Users: u, alter: alter} }
}

func (w *watching) Watch(ctx context.Context, requests <-chan account.WatchRequest, d func(account.WatchEvent) error) error {
	if w.places != nil {
		select {
		case w.places <- struct{}{}:
		default:
			return account.Unavailable("there are too many streams")
		}
	}
	if w.wrap != nil {
		d = w.wrap(d)
	}
	passed := make(chan account.WatchRequest)
	go func() {
		for r := range requests {
			if w.alter != nil {
				w.alter(&r)
			}
			select {
			case passed <- r:
			case <-ctx.Done():
				return
			}
		}
		if !w.endless {
			close(passed)
		}
	}()
	return w.Users.Watch(ctx, passed, d)
}

// dropping gives its watchers a short queue, and what does not fit is lost.
type dropping struct{ wrapped }

func (s dropping) Watch(ctx context.Context) (users.Watcher, error) {
	w, err := s.wrapped.Watch(ctx)
	if err != nil {
		return nil, err
	}
	short := &shortWatcher{Watcher: w, queue: make(chan users.Event, 8), failed: make(chan error, 1)}
	go short.fill()
	return short, nil
}

type shortWatcher struct {
	users.Watcher
	queue  chan users.Event
	failed chan error
}

func (w *shortWatcher) fill() {
	for {
		e, err := w.Watcher.Next(context.Background())
		if err != nil {
			w.failed <- err
			return
		}
		if e.Name == "" { // progress is never lost
			w.queue <- e
			continue
		}
		select {
		case w.queue <- e:
		default:
		}
	}
}

func (w *shortWatcher) Next(ctx context.Context) (users.Event, error) {
	select {
	case e := <-w.queue:
		return e, nil
	case err := <-w.failed:
		return users.Event{}, err
	case <-ctx.Done():
		return users.Event{}, ctx.Err()
	}
}
