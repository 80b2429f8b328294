package bolt

import (
	"context"
	"sync"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// What a watcher leaves unread at most, in events and in bytes, before it has
// fallen behind.
const (
	maxUnread      = 4096
	maxUnreadBytes = 16 << 20
)

// feed is the order in which commits become known. A commit is reached once it
// is on disk and in every watcher's queue; nobody learns of it sooner.
type feed struct {
	mu       sync.Mutex
	reached  account.Revision
	moved    chan struct{} // closed, and made anew, when reached or err changes
	watchers map[*watcher]struct{}
	err      error // why the feed ended
}

func newFeed(reached account.Revision) *feed {
	return &feed{reached: reached, moved: make(chan struct{}), watchers: map[*watcher]struct{}{}}
}

// publish hands a commit's events to the watchers, in order.
func (f *feed) publish(reached account.Revision, events []users.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reached = reached
	f.move()
	for w := range f.watchers {
		for _, e := range events {
			w.push(e)
		}
	}
}

// move wakes those who wait. Callers hold mu.
func (f *feed) move() {
	close(f.moved)
	f.moved = make(chan struct{})
}

// end lets the watchers read what they have, and fails everything after it.
// The first reason stays.
func (f *feed) end(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return
	}
	f.err = why
	f.move()
	for w := range f.watchers {
		w.stop(why)
	}
}

func (f *feed) ended() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// wait returns once the feed has reached a revision that was read.
func (f *feed) wait(ctx context.Context, revision account.Revision) error {
	for {
		f.mu.Lock()
		reached, err, moved := f.reached, f.err, f.moved
		f.mu.Unlock()
		switch {
		case reached >= revision:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *feed) watch() (*watcher, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	w := &watcher{feed: f, ready: make(chan struct{}, 1)}
	f.watchers[w] = struct{}{}
	return w, nil
}
