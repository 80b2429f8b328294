package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
)

var closeCases = []testCase{
	{"OfAWatcherEndsNext", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		endsNext(t, w, w.Close)
	}},
	{"EndsWatchers", func(t *testing.T, s users.Store) { endsNext(t, watch(t, s), s.Close) }},
	{"RefusesWhatComesAfter", func(t *testing.T, s users.Store) {
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if err := s.View(t.Context(), func(users.Reader) error { return nil }); err == nil {
			t.Error("a View after Close succeeded")
		}
		if _, err := s.Update(t.Context(), func(users.Tx) error { return nil }); err == nil {
			t.Error("an Update after Close succeeded")
		}
		if _, err := s.Watch(t.Context()); err == nil {
			t.Error("a Watch after Close succeeded")
		}
		if err := s.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	}},
	{"WaitsForTransactions", func(t *testing.T, s users.Store) {
		if err := closeWaits(t.Context(), s); err != nil {
			t.Error(err)
		}
	}},
}

const (
	// untilClosing is how long Close is given to begin, in a store that shows
	// it by refusing calls; others hold calls up, and take all of it.
	untilClosing = 250 * time.Millisecond
	// untilClosed is how long a Close that does not wait is given to return.
	untilClosed = 50 * time.Millisecond
)

// closeWaits closes the store while an Update is under way. It returns an error
// if Close did not wait for it, or if either failed.
func closeWaits(ctx context.Context, s users.Store) error {
	began, proceed, updated := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	begin := sync.OnceFunc(func() { close(began) })
	go func() {
		_, err := s.Update(context.WithoutCancel(ctx), func(tx users.Tx) error {
			begin()
			<-proceed
			return tx.Put(key("a"), []byte("a"))
		})
		begin() // it may have been refused
		updated <- err
	}()
	<-began

	closed, closing := make(chan error, 1), make(chan struct{})
	go func() { closed <- s.Close() }()
	go func() {
		defer close(closing)
		bounded, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		for bounded.Err() == nil && !refuses(bounded, s) {
		}
	}()
	select {
	case <-closing:
	case <-time.After(untilClosing):
	}
	var early error
	select {
	case err := <-closed:
		early = fmt.Errorf("the store closed (%v) while an Update was under way", err)
		closed <- nil
	case <-time.After(untilClosed):
	}
	close(proceed)
	if err := <-updated; err != nil {
		early = errors.Join(early, fmt.Errorf("the Update under way ended with %w", err))
	}
	if err := <-closed; err != nil {
		early = errors.Join(early, fmt.Errorf("close: %w", err))
	}
	<-closing // what it asked for is refused now
	return early
}

// refuses reports whether the store refuses any call, for another reason than
// that it takes long.
func refuses(ctx context.Context, s users.Store) bool {
	soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	w, err := s.Watch(soon)
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = s.View(soon, func(users.Reader) error { return nil })
	}
	if err == nil {
		_, err = s.Update(soon, func(users.Tx) error { return nil })
	}
	return err != nil && soon.Err() == nil
}

// endsNext checks that end lets a waiting Next return an error of its own.
func endsNext(t *testing.T, w users.Watcher, end func() error) {
	t.Helper()
	ctx := within(t)
	ended := make(chan error, 1)
	go func() {
		_, err := w.Next(ctx)
		ended <- err
	}()
	if err := end(); err != nil {
		t.Errorf("Close: %v", err)
	}
	err := <-ended
	if err == nil || ctx.Err() != nil {
		t.Errorf("a waiting Next returned %v, want that it ended", err)
	}
	if _, err := w.Next(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("Next after that returned %v, want an error", err)
	}
}
