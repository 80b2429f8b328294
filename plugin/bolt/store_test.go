package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/plugin/users/storetest"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) users.Store { return open(t, newPath(t), bolt.Options{}) })
	storetest.RunReplacer(t, func(t *testing.T) (users.Store, func() users.Store) {
		path := newPath(t)
		s := open(t, path, bolt.Options{})
		return s, func() users.Store {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			return open(t, path, bolt.Options{})
		}
	})
}

func TestOpen(t *testing.T) {
	t.Run("KeepsWhatWasCommitted", func(t *testing.T) {
		path := newPath(t)
		s := open(t, path, bolt.Options{})
		for i := range 100 {
			put(t, s, accountKey(i), fmt.Sprint(i))
		}
		before := revision(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path, bolt.Options{})
		if got := revision(t, s); got != before {
			t.Errorf("revision %d after reopening, want %d", got, before)
		}
		want := map[string]string{}
		for i := range 100 {
			want[accountKey(i).Name] = fmt.Sprint(i)
		}
		if diff := cmp.Diff(want, contents(t, s)); diff != "" {
			t.Error(diff)
		}
		if at := put(t, s, accountKey(0), "new"); at <= before {
			t.Errorf("revision %d after reopening at %d, want a greater one", at, before)
		}
	})
}

func TestView(t *testing.T) {
	t.Run("HoldsNobodyUp", func(t *testing.T) { // while the file grows to many times its size; on a 64-bit platform
		path := newPath(t)
		s := open(t, path, bolt.Options{})
		before := size(t, path)
		grown := make(chan error, 1)
		grow := func() error {
			for i := range 64 {
				if _, err := s.Update(t.Context(), func(tx users.Tx) error { return tx.Put(accountKey(i), make([]byte, 64<<10)) }); err != nil {
					return err
				}
				if err := s.View(t.Context(), func(users.Reader) error { return nil }); err != nil {
					return err
				}
			}
			return nil
		}
		if err := s.View(t.Context(), func(users.Reader) error {
			go func() { grown <- grow() }()
			select {
			case err := <-grown:
				return err
			case <-time.After(30 * time.Second):
				return errors.New("changes, or who reads them, wait for a View to end")
			}
		}); err != nil {
			t.Error(err)
		}
		if after := size(t, path); after < 4*before {
			t.Errorf("the file grew from %d bytes to %d only; the test shows too little", before, after)
		}
	})
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestClose(t *testing.T) {
	t.Run("WaitsForUpdates", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		held := hold(t, s)
		waiting := update(s, accountKey(1))
		closed := make(chan error, 1)
		waitQueued(t, s, 1)
		go func() { closed <- s.Close() }()
		for { // until Close has begun
			soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := s.Update(soon, func(users.Tx) error { return nil })
			cancel()
			if account.KindOf(err) == account.KindUnavailable {
				break
			}
		}
		select {
		case err := <-closed:
			t.Errorf("Close returned %v while an update was under way", err)
		case <-time.After(20 * time.Millisecond):
		}
		held.release()
		for _, u := range []<-chan result{held.done, waiting} {
			if r := <-u; r.err != nil {
				t.Errorf("update under way at Close: %v", r.err)
			}
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
	t.Run("RefusesAllElse", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, updated := s.Update(t.Context(), func(users.Tx) error { return nil })
		_, watched := s.Watch(t.Context())
		_, next := w.Next(t.Context())
		for what, err := range map[string]error{
			"Update": updated, "Watch": watched, "Next": next, "Progress": w.Progress(t.Context()),
			"View": s.View(t.Context(), func(users.Reader) error { return nil }),
		} {
			if account.KindOf(err) != account.KindUnavailable {
				t.Errorf("%s after Close: %v, want Unavailable", what, err)
			}
		}
	})
}

// open opens a store that is closed and checked when the test ends.
func open(t testing.TB, path string, o bolt.Options) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		check(t, path)
	})
	return s
}

// check fails the test if the closed file is inconsistent.
func check(t testing.TB, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: time.Second})
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		var found []error
		for err := range tx.Check() {
			found = append(found, err)
		}
		return errors.Join(found...)
	})
	if err != nil {
		t.Errorf("%s is inconsistent: %v", path, err)
	}
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "accounts.db") }

func accountKey(i int) users.Key {
	return users.Key{Space: users.Accounts, Name: fmt.Sprintf("a%06d", i)}
}

func put(t testing.TB, s users.Store, key users.Key, value string) account.Revision {
	t.Helper()
	at, err := s.Update(t.Context(), func(tx users.Tx) error { return tx.Put(key, []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func revision(t testing.TB, s users.Store) (at account.Revision) {
	t.Helper()
	err := s.View(t.Context(), func(r users.Reader) error {
		at = r.Revision()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func contents(t testing.TB, s users.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := s.View(t.Context(), func(r users.Reader) error {
		return r.Scan(users.Accounts, "", func(name string, value []byte) error {
			all[name] = string(value)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
