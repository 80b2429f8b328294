package mem

import (
	"context"
	"errors"
	"sync"

	"github.com/cinchapi/concourse-users/plugin/users"
)

// MaxUnread is how many events a watcher may leave unread before it has fallen
// behind.
const MaxUnread = 4096

var errWatcherClosed = errors.New("the watcher is closed")

// watcher is a bounded queue between the updates, which never wait, and one
// reader.
type watcher struct {
	store *Store
	ready chan struct{} // holds one token if there may be something to read

	mu     sync.Mutex // guards the rest; taken after the store's
	unread []users.Event
	err    error // why it ended; Next returns it instead of what was unread
}

var _ users.Watcher = (*watcher)(nil)

func newWatcher(s *Store) *watcher { return &watcher{store: s, ready: make(chan struct{}, 1)} }

// Next returns the oldest unread event.
func (w *watcher) Next(ctx context.Context) (users.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return users.Event{}, err
		}
		w.mu.Lock()
		if w.err != nil || len(w.unread) > 0 {
			defer w.mu.Unlock()
			if w.err != nil {
				return users.Event{}, w.err
			}
			e := w.unread[0]
			w.unread = w.unread[1:]
			return e, nil
		}
		w.mu.Unlock()
		select {
		case <-w.ready:
		case <-ctx.Done():
		}
	}
}

// Progress queues the store's revision behind the events of every commit up to
// it.
func (w *watcher) Progress(ctx context.Context) error {
	w.store.mu.RLock()
	defer w.store.mu.RUnlock()
	if err := w.store.refuses(ctx); err != nil {
		return err
	}
	w.push(users.Event{Revision: w.store.revision})
	return nil
}

// Close ends the stream.
func (w *watcher) Close() error {
	w.store.mu.Lock()
	delete(w.store.watchers, w)
	w.store.mu.Unlock()
	w.end(errWatcherClosed)
	return nil
}

// push queues an event. It needs the store's mutex, which orders events. A
// progress takes the place of one just before it.
func (w *watcher) push(e users.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.unread) - 1
	switch {
	case w.err != nil:
	case e.Name == "" && last >= 0 && w.unread[last].Name == "":
		w.unread[last] = e
	case len(w.unread) == MaxUnread:
		w.unread, w.err = nil, users.ErrFellBehind
	default:
		w.unread = append(w.unread, e)
	}
	w.wake()
}

// end lets the reader have err from now on, unless it ended before.
func (w *watcher) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.unread, w.err = nil, err
	}
	w.wake()
}

func (w *watcher) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}
