package bolt_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestUpdateCommitFails(t *testing.T) {
	errDisk := errors.New("disk on fire")
	t.Run("BeforeItTook", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{Failed: func(err error) { t.Errorf("failed for good: %v", err) }})
		before := put(t, s, accountKey(1), "old")
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		failing := true
		bolt.WrapCommit(s, func(commit, rollback func() error) error {
			if failing {
				return errors.Join(errDisk, rollback())
			}
			return commit()
		})
		held := hold(t, s)
		waiting := update(s, accountKey(1))
		waitQueued(t, s, 1)
		held.release()
		for _, u := range []<-chan result{held.done, waiting} {
			if r := <-u; account.KindOf(r.err) != account.KindUnavailable {
				t.Errorf("got %v, want Unavailable", r.err)
			}
		}
		if got := revision(t, s); got != before {
			t.Errorf("revision %d, want %d as before", got, before)
		}
		failing = false
		at := put(t, s, accountKey(2), "new")
		e, err := w.Next(t.Context())
		if diff := cmp.Diff(users.Event{Revision: at, Name: accountKey(2).Name, Value: []byte("new")}, e); err != nil || diff != "" {
			t.Errorf("after a failed commit: %v %s", err, diff)
		}
	})
	t.Run("AfterItMayHaveTaken", func(t *testing.T) {
		path, failed := newPath(t), 0
		s := open(t, path, bolt.Options{Failed: func(error) { failed++ }})
		put(t, s, accountKey(1), "old")
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		bolt.WrapCommit(s, func(commit, _ func() error) error { return errors.Join(commit(), errDisk) })
		_, first := s.Update(t.Context(), func(tx users.Tx) error { return tx.Put(accountKey(1), []byte("new")) })
		_, second := s.Update(t.Context(), func(tx users.Tx) error { return tx.Put(accountKey(1), []byte("newer")) })
		_, next := w.Next(t.Context())
		if account.KindOf(first) != account.KindInternal || !errors.Is(first, errDisk) {
			t.Errorf("Update: %v, want a plain error: it may have taken", first)
		}
		for what, err := range map[string]error{
			"the next Update": second, "Next": next,
			"View": s.View(t.Context(), func(users.Reader) error { return nil }),
		} {
			if account.KindOf(err) != account.KindUnavailable {
				t.Errorf("%s: %v, want Unavailable", what, err)
			}
		}
		if failed != 1 {
			t.Errorf("Failed was called %d times, want once", failed)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(map[string]string{accountKey(1).Name: "new"}, contents(t, open(t, path, bolt.Options{}))); diff != "" {
			t.Errorf("after opening anew: %s", diff)
		}
	})
}

// TestViewWaits shows rule 1 for readers: bbolt lets them see a commit whose
// last sync is still under way.
func TestViewWaits(t *testing.T) {
	s := open(t, newPath(t), bolt.Options{})
	written, synced := make(chan struct{}), make(chan struct{})
	bolt.WrapCommit(s, func(commit, _ func() error) error {
		err := commit()
		close(written)
		<-synced
		return err
	})
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	updated := update(s, accountKey(1))
	<-written
	viewed := make(chan account.Revision)
	go func() { viewed <- revision(t, s) }()
	select {
	case at := <-viewed:
		t.Errorf("a view returned revision %d before it was on disk", at)
	case <-time.After(20 * time.Millisecond):
	}
	close(synced)
	seen := <-viewed
	if r := <-updated; r.err != nil || r.at != seen {
		t.Errorf("update at %d, error %v; view at %d", r.at, r.err, seen)
	}
	if err := w.Progress(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Name == "" {
			if e.Revision < seen {
				t.Errorf("progress at %d after a view at %d", e.Revision, seen)
			}
			return
		}
	}
}
