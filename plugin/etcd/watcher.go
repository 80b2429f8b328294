package etcd

import (
	"context"
	"errors"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// What a watcher leaves unread at most, in events and in bytes, before it has
// fallen behind.
const (
	maxUnread      = 4096
	maxUnreadBytes = 16 << 20
)

var errWatcherClosed = errors.New("the watcher is closed")

// watcher is a bounded queue between a watch of etcd's, which is read without
// delay, because its client keeps what is unread without bound, and one reader.
type watcher struct {
	store   *Store
	cluster uint64           // as etcd names it
	stream  clientv3.Watcher // its own, so that progress is its own
	life    context.Context  // ends with the watcher
	cancel  context.CancelFunc
	done    chan struct{} // closed when everything has ended

	ready chan struct{} // holds a token if there may be something to read
	asked chan struct{} // holds a token if progress may be wanted

	mu      sync.Mutex // guards the rest
	unread  []users.Event
	bytes   int
	err     error     // what Next returns after the last unread event
	reached int64     // everything up to it has been delivered
	wanted  int64     // progress to it is asked for; 0: none is
	since   time.Time // when nothing had come from then on
}

var _ users.Watcher = (*watcher)(nil)

// Next returns the oldest unread event.
func (w *watcher) Next(ctx context.Context) (users.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return users.Event{}, err
		}
		if e, err, ok := w.pop(); ok {
			return e, err
		}
		select {
		case <-w.ready:
		case <-ctx.Done():
		}
	}
}

func (w *watcher) pop() (e users.Event, err error, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.unread) == 0 {
		return e, w.err, w.err != nil
	}
	e, w.unread[0] = w.unread[0], users.Event{}
	w.unread = w.unread[1:]
	w.bytes -= size(e)
	return e, nil, true
}

// Progress reads how far the store is, and asks the stream to say when it is as
// far.
func (w *watcher) Progress(ctx context.Context) error {
	if err := w.store.enter(ctx); err != nil {
		return err
	}
	defer w.store.calls.Done()
	w.mu.Lock()
	reached := w.reached
	w.mu.Unlock()
	latest, cluster, err := w.store.position(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && (latest < reached || cluster != w.cluster) {
		// Restored from a snapshot: this watch may wait for a revision that is
		// long to come, or have gone on behind some that it never saw.
		w.drop(users.ErrFellBehind)
	}
	if w.err != nil {
		return w.err
	}
	if w.wanted == 0 {
		w.since = time.Now()
	}
	w.wanted = max(w.wanted, latest)
	w.answer()
	signal(w.asked)
	return nil
}

// Close forgets what is unread.
func (w *watcher) Close() error {
	w.mu.Lock()
	w.drop(errWatcherClosed)
	w.mu.Unlock()
	<-w.done
	return nil
}

// end lets the reader have what is unread, and then the error.
func (w *watcher) end(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop(why)
}

// take queues what one response of etcd brought: all changes of the revisions
// that it speaks of, or none. What was delivered before, as after a change to
// another member, is left out.
func (w *watcher) take(r *clientv3.WatchResponse, begin int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Now() // a stream that is behind, but delivers, is not silent
	reached := w.reached
	if r.IsProgressNotify() {
		reached = r.Header.Revision
	}
	for _, e := range r.Events {
		if e.Kv.ModRevision <= w.reached {
			continue
		}
		reached = e.Kv.ModRevision
		if len(e.Kv.Key) == begin {
			continue // no key of ours, and an event without a name means progress
		}
		event := users.Event{Revision: account.Revision(reached), Name: string(e.Kv.Key[begin:])}
		if e.Type == clientv3.EventTypePut {
			event.Value = present(e.Kv.Value)
		}
		w.push(event)
	}
	w.reached = max(w.reached, reached)
	w.answer()
}

// answer queues progress, if it is wanted and the stream is as far. Callers hold
// the mutex, as they do for all that follows.
func (w *watcher) answer() {
	if w.wanted == 0 || w.reached < w.wanted {
		return
	}
	w.wanted = 0
	progress := users.Event{Revision: account.Revision(w.reached)}
	if n := len(w.unread); n > 0 && w.unread[n-1].Name == "" {
		w.unread[n-1] = progress
	} else {
		w.push(progress)
	}
	signal(w.ready)
}

// push queues an event, or ends a watcher that has too many.
func (w *watcher) push(e users.Event) {
	switch {
	case w.err != nil:
		return
	case len(w.unread) >= maxUnread || w.bytes+size(e) > maxUnreadBytes:
		w.drop(users.ErrFellBehind)
		return
	}
	w.unread = append(w.unread, e)
	w.bytes += size(e)
	signal(w.ready)
}

func (w *watcher) drop(why error) {
	w.unread, w.bytes = nil, 0
	w.err = nil
	w.stop(why)
}

func (w *watcher) stop(why error) {
	if w.err == nil {
		w.err = why
	}
	w.cancel()
	signal(w.ready)
}

// signal leaves a token, if there is none.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func size(e users.Event) int { return len(e.Name) + len(e.Value) }
