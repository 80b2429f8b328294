package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestWatch(t *testing.T) {
	c := start(t)
	// A store that is watched through a tap, and one beside it that writes.
	setup := func(t *testing.T) (*tap, users.Store, users.Watcher) {
		t.Helper()
		p := tapped(t, c.Endpoints()[0])
		o := etcd.Options{Prefix: fresh(t)}
		beside := open(t, c, o)
		o.Endpoints, o.RequestTimeout = []string{p.endpoint()}, impatient
		return p, beside, watch(t, open(t, c, o))
	}
	t.Run("ErrFellBehindByNumber", func(t *testing.T) {
		_, s, w := setup(t)
		for range etcd.MaxUnread/100 + 1 {
			if _, err := s.Update(t.Context(), func(tx users.Tx) error {
				var err error
				for i := range 100 {
					err = errors.Join(err, tx.Put(key(fmt.Sprint(i)), nil))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		overflows(t, w)
		fallsBehind(t, w)
	})
	t.Run("ErrFellBehindByBytes", func(t *testing.T) {
		_, s, w := setup(t)
		large := strings.Repeat("x", 1<<20)
		for range etcd.MaxUnreadBytes>>20 + 1 {
			put(t, s, key("large"), large)
		}
		overflows(t, w)
		fallsBehind(t, w)
	})
	t.Run("ErrFellBehindByCompaction", func(t *testing.T) {
		p, s, w := setup(t)
		p.refuse(true)
		p.cut()
		put(t, s, key("a"), "missed")
		at := put(t, s, key("a"), "x")
		if _, err := direct(t, c).Compact(t.Context(), int64(at)); err != nil {
			t.Fatal(err)
		}
		p.refuse(false)
		fallsBehind(t, w)
	})
	t.Run("GoesOnAfterACut", func(t *testing.T) {
		p, s, w := setup(t)
		var commits []account.Revision
		large := strings.Repeat("x", 320<<10)
		for i := range 20 {
			if i == 10 { // what is missed is more than etcd sends in one piece
				p.refuse(true)
				p.cut()
			}
			commits = append(commits, put(t, s, key(fmt.Sprint(i)), large))
		}
		p.refuse(false)
		for i, at := range commits {
			if e := next(t, w); e.Revision != at || e.Name != fmt.Sprint(i) || string(e.Value) != large {
				t.Fatalf("the stream has '%s' at %d with %d bytes, want '%d' at %d", e.Name, e.Revision, len(e.Value), i, at)
			}
		}
	})
	t.Run("ProgressAfterACut", func(t *testing.T) {
		p, s, w := setup(t)
		p.cut()
		at := put(t, s, counter, "1")
		eventually(t, "progress can be asked for", func() bool { return w.Progress(t.Context()) == nil })
		if e := next(t, w); e.Name != "" || e.Revision < at {
			t.Errorf("the stream has %v, want progress to %d", e, at)
		}
	})
	t.Run("ASilentMemberIsLeft", func(t *testing.T) {
		p, s, w := setup(t)
		p.silence()
		at := put(t, s, counter, "1")
		eventually(t, "progress can be asked for", func() bool { return w.Progress(t.Context()) == nil })
		if e := next(t, w); e.Name != "" || e.Revision < at {
			t.Errorf("the stream has %v, want progress to %d", e, at)
		}
	})
	t.Run("WhatDeliversIsNotSilent", func(t *testing.T) {
		_, s, w := setup(t)
		etcd.AskForTheFuture(w)
		asked := etcd.SilentSince(w)
		put(t, s, key("a"), "1")
		if e := next(t, w); e.Name == "" || !etcd.SilentSince(w).After(asked) {
			t.Errorf("with %v the stream counts as silent since it was asked", e)
		}
	})
	t.Run("ErrSilent", func(t *testing.T) { // as of a member that the others do not reach
		_, _, w := setup(t)
		etcd.AskForTheFuture(w)
		_, err := w.Next(within(t))
		if account.KindOf(err) != account.KindUnavailable || !strings.Contains(err.Error(), "silent") {
			t.Errorf("it ended with %v, want Unavailable, and that it was silent", err)
		}
	})
	t.Run("Unavailable", func(t *testing.T) {
		p, s, w := setup(t)
		p.refuse(true)
		p.cut()
		ctx, cancel := context.WithTimeout(t.Context(), impatient)
		defer cancel()
		if err := w.Progress(ctx); account.KindOf(err) != account.KindUnavailable {
			t.Errorf("progress without etcd: %v, want Unavailable", err)
		}
		put(t, s, key("a"), "a")
	})
	t.Run("CloseEndsWhatWaits", func(t *testing.T) {
		p, _, w := setup(t)
		p.silence()
		ended := make(chan error, 1)
		go func() {
			_, err := w.Next(within(t))
			ended <- err
		}()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next returned %v", err)
		}
	})
}

func watch(t testing.TB, s users.Store) users.Watcher {
	t.Helper()
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func next(t testing.TB, w users.Watcher) users.Event {
	t.Helper()
	e, err := w.Next(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fallsBehind checks that the watcher has ended, or does, and by that.
func fallsBehind(t *testing.T, w users.Watcher) {
	t.Helper()
	if e, err := w.Next(within(t)); !errors.Is(err, users.ErrFellBehind) {
		t.Errorf("the stream has %v, %v, want ErrFellBehind", e.Name, err)
	}
}

// overflows waits until the watcher has ended.
func overflows(t *testing.T, w users.Watcher) {
	t.Helper()
	for w.Progress(within(t)) == nil {
		time.Sleep(time.Millisecond)
	}
}
