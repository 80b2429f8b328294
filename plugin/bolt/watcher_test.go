package bolt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
)

func TestWatch(t *testing.T) {
	t.Run("AccountsOnlyInOrder", func(t *testing.T) {
		s, w := openWatched(t)
		at1 := put(t, s, accountKey(1), "x")
		put(t, s, users.Key{Space: users.Requests, Name: "r"}, "x")
		at2, err := s.Update(t.Context(), func(tx users.Tx) error { return tx.Delete(accountKey(1)) })
		if err != nil {
			t.Fatal(err)
		}
		want := []users.Event{
			{Revision: at1, Name: accountKey(1).Name, Value: []byte("x")},
			{Revision: at2, Name: accountKey(1).Name},
		}
		if diff := cmp.Diff(want, []users.Event{next(t, w), next(t, w)}); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("ErrFellBehindByNumber", func(t *testing.T) {
		s, w := openWatched(t)
		_, err := s.Update(t.Context(), func(tx users.Tx) error {
			for i := range bolt.MaxUnread + 1 {
				if err := tx.Put(accountKey(i), nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fellBehind(t, w)
		if diff := cmp.Diff(bolt.MaxUnread+1, len(contents(t, s))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("ErrFellBehindByBytes", func(t *testing.T) {
		s, w := openWatched(t)
		large := strings.Repeat("x", bolt.MaxUnreadBytes/4)
		for i := range 4 {
			put(t, s, accountKey(i), large)
		}
		fellBehind(t, w)
	})
	t.Run("ALaggardHurtsNobodyElse", func(t *testing.T) {
		s, slow := openWatched(t)
		fast, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		large := strings.Repeat("x", bolt.MaxUnreadBytes/4)
		for i := range 4 {
			at := put(t, s, accountKey(i), large)
			if e := next(t, fast); e.Revision != at {
				t.Errorf("event at %d, want %d", e.Revision, at)
			}
		}
		fellBehind(t, slow)
	})
	t.Run("ProgressIsAnsweredTogether", func(t *testing.T) {
		s, w := openWatched(t)
		for range 3 * bolt.MaxUnread {
			if err := w.Progress(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		at := put(t, s, users.Key{Space: users.Meta, Name: "m"}, "x")
		if err := w.Progress(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(users.Event{Revision: at}, next(t, w)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("NextEndsWithItsContext", func(t *testing.T) {
		_, w := openWatched(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if e, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v, want the context's error", e, err)
		}
	})
	t.Run("CloseEndsNext", func(t *testing.T) {
		_, w := openWatched(t)
		ended := make(chan error)
		go func() {
			_, err := w.Next(context.Background())
			ended <- err
		}()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err == nil {
			t.Error("Next returned an event")
		}
	})
}

func openWatched(t *testing.T) (*bolt.Store, users.Watcher) {
	t.Helper()
	s := open(t, newPath(t), bolt.Options{})
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func next(t *testing.T, w users.Watcher) users.Event {
	t.Helper()
	e, err := w.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func fellBehind(t *testing.T, w users.Watcher) {
	t.Helper()
	if e, err := w.Next(t.Context()); !errors.Is(err, users.ErrFellBehind) {
		t.Errorf("got %v, %v, want ErrFellBehind", e, err)
	}
	if err := w.Progress(t.Context()); !errors.Is(err, users.ErrFellBehind) {
		t.Errorf("progress: got %v, want ErrFellBehind", err)
	}
}
