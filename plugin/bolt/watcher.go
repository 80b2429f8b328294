package bolt

import (
	"bytes"
	"context"
	"errors"

	"github.com/cinchapi/concourse-users/plugin/users"
)

var errWatcherClosed = errors.New("the watcher is closed")

// watcher is a bounded queue between the committer, which never waits, and one
// reader. The feed's mutex guards it.
type watcher struct {
	feed   *feed
	unread []users.Event
	bytes  int
	err    error // what Next returns after the last unread event
	ready  chan struct{}
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
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	if len(w.unread) == 0 {
		return e, w.err, w.err != nil
	}
	e, w.unread[0] = w.unread[0], users.Event{}
	w.unread = w.unread[1:]
	w.bytes -= size(e)
	e.Value = bytes.Clone(e.Value) // the other watchers have the same one
	return e, nil, true
}

// Progress answers with what the feed has reached: at least every commit that
// has been answered and every state that a View has returned.
func (w *watcher) Progress(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	progress := users.Event{Revision: w.feed.reached}
	if n := len(w.unread); n > 0 && w.unread[n-1].Name == "" {
		w.unread[n-1] = progress
	} else {
		w.push(progress)
	}
	return w.err
}

// Close forgets what is unread.
func (w *watcher) Close() error {
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	w.drop(errWatcherClosed)
	return nil
}

// push queues an event, or ends a watcher that has too many. Callers hold the
// feed's mutex, as they do for all that follows.
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
	w.wake()
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
	delete(w.feed.watchers, w)
	w.wake()
}

func (w *watcher) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func size(e users.Event) int { return len(e.Name) + len(e.Value) }
