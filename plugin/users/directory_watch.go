package users

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	directoryPace = time.Second // between two looks at a directory that is watched
	mostUnread    = 4096        // events that a watcher may leave unread before it has fallen behind
)

var errWatcherClosed = errors.New("the watcher is closed")

// directoryWatcher is a bounded queue between a directory's changes and one
// reader.
type directoryWatcher struct {
	store *directoryStore
	ready chan struct{} // holds one token if there may be something to read
	close context.CancelFunc

	mu     sync.Mutex // guards the rest; taken after the store's
	unread []Event
	err    error // why it ended; Next returns it instead of what was unread
}

var _ Watcher = (*directoryWatcher)(nil)

// Watch streams what changes from now on, and looks for it every second.
func (s *directoryStore) Watch(ctx context.Context) (Watcher, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	if err := s.refresh(ctx); err != nil {
		s.calls.Done()
		return nil, err
	}
	w := &directoryWatcher{store: s, ready: make(chan struct{}, 1)}
	var watched context.Context
	watched, w.close = context.WithCancel(s.closing)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed { // and Close has ended those that it found
		w.close()
		s.calls.Done()
		return nil, errDirectoryClosed()
	}
	s.watchers[w] = struct{}{}
	go func() {
		defer s.calls.Done()
		w.look(watched)
	}()
	return w, nil
}

// look finds changes that nobody has asked for yet. What keeps it from that is
// in the log, and fails whoever asks.
func (w *directoryWatcher) look(ctx context.Context) {
	tick := time.NewTicker(directoryPace)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = w.store.refresh(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Next returns the oldest unread event.
func (w *directoryWatcher) Next(ctx context.Context) (Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Event{}, err
		}
		w.mu.Lock()
		if w.err != nil || len(w.unread) > 0 {
			defer w.mu.Unlock()
			if w.err != nil {
				return Event{}, w.err
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

// Progress queues the revision of what the directory tells now.
func (w *directoryWatcher) Progress(ctx context.Context) error {
	s := w.store
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.calls.Done()
	if err := s.refresh(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.push(Event{Revision: s.current.Load().revision})
	return nil
}

// Close ends the stream.
func (w *directoryWatcher) Close() error {
	w.close()
	w.store.mu.Lock()
	delete(w.store.watchers, w)
	w.store.mu.Unlock()
	w.end(errWatcherClosed)
	return nil
}

// push queues events of one revision, however many. It needs the store's mutex,
// which orders them. A progress takes the place of one just before it.
func (w *directoryWatcher) push(events ...Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.unread) - 1
	switch {
	case w.err != nil || len(events) == 0:
		return
	case events[0].Name == "" && last >= 0 && w.unread[last].Name == "":
		w.unread = w.unread[:last]
	case len(w.unread) >= mostUnread:
		w.unread, w.err = nil, ErrFellBehind
		w.wake()
		return
	}
	for _, e := range events {
		e.Value = slices.Clone(e.Value)
		w.unread = append(w.unread, e)
	}
	w.wake()
}

// end lets the reader have err from now on, unless it ended before.
func (w *directoryWatcher) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.unread, w.err = nil, err
	}
	w.wake()
}

func (w *directoryWatcher) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}
