package etcd_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// impatient is a request timeout that tests wait for.
const impatient = 600 * time.Millisecond

var counter = users.Key{Space: users.Meta, Name: "counter"}

// count adds one to the counter under a new request record, as plugin/users
// makes changes: if the record is there, all is done. In the first run it does
// something between the reads and the writes.
func count(ctx context.Context, s users.Store, between func()) (at account.Revision, runs int, err error) {
	record := users.Key{Space: users.Requests, Name: rand.Text()}
	at, err = s.Update(ctx, func(tx users.Tx) error {
		runs++
		if done, err := tx.Get(record); err != nil || done != nil {
			return err
		}
		was, err := tx.Get(counter)
		if err != nil {
			return err
		}
		n, _ := strconv.Atoi(string(was))
		if runs == 1 && between != nil {
			between()
		}
		return errors.Join(tx.Put(record, []byte("done")), tx.Put(counter, strconv.AppendInt(nil, int64(n+1), 10)))
	})
	return at, runs, err
}

func TestUpdate(t *testing.T) {
	c := start(t)
	t.Run("Layout", func(t *testing.T) {
		prefix := fresh(t)
		s := open(t, c, etcd.Options{Prefix: strings.TrimSuffix(prefix, "/")})
		put(t, s, key("jeff/x"), `{"a":1}`)
		r, err := direct(t, c).Get(t.Context(), prefix+"accounts/jeff/x")
		if err != nil || len(r.Kvs) != 1 || string(r.Kvs[0].Value) != `{"a":1}` {
			t.Errorf("etcd has %v, %v", r, err)
		}
	})
	t.Run("PrefixesAreApart", func(t *testing.T) {
		one, other := open(t, c, etcd.Options{}), open(t, c, etcd.Options{})
		put(t, one, key("a"), "one")
		if got := get(t, other, key("a")); got != "" {
			t.Errorf("another prefix has %q", got)
		}
	})
	t.Run("WriteNothing", func(t *testing.T) {
		s := open(t, c, etcd.Options{})
		at := put(t, s, key("a"), "a")
		read, err := s.Update(t.Context(), func(tx users.Tx) error { return nil })
		if err != nil || read != at || revision(t, s) != at {
			t.Errorf("it is at %d, %v, and the store at %d, want %d", read, err, revision(t, s), at)
		}
	})
	t.Run("OneHundredRecords", func(t *testing.T) { // as pruned in one transaction
		s := open(t, c, etcd.Options{})
		names := func(do func(users.Tx, users.Key) error) {
			t.Helper()
			if _, err := s.Update(t.Context(), func(tx users.Tx) error {
				for i := range 100 {
					if err := do(tx, users.Key{Space: users.Requests, Name: fmt.Sprint(i)}); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		names(func(tx users.Tx, k users.Key) error { return tx.Put(k, []byte("x")) })
		names(func(tx users.Tx, k users.Key) error {
			if v, err := tx.Get(k); err != nil || v == nil {
				return errors.Join(err, errors.New("absent"))
			}
			return tx.Delete(k)
		})
		if got := get(t, s, users.Key{Space: users.Requests, Name: "7"}); got != "" {
			t.Errorf("one is left: %q", got)
		}
	})
	for name, many := range map[string]func(users.Tx) error{
		"TooManyKeys": func(tx users.Tx) error {
			var err error
			for i := range 200 {
				err = errors.Join(err, tx.Put(key(fmt.Sprint(i)), nil))
			}
			return err
		},
		"TooManyBytes":    func(tx users.Tx) error { return tx.Put(key("a"), make([]byte, 1700<<10)) },
		"FarTooManyBytes": func(tx users.Tx) error { return tx.Put(key("a"), make([]byte, 8<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c, etcd.Options{})
			_, err := s.Update(t.Context(), many)
			if account.KindOf(err) != account.KindUnsupported || !strings.Contains(err.Error(), "--max-") {
				t.Errorf("it ended with %v, want Unsupported, and which flag of etcd's to raise", err)
			}
			put(t, s, key("b"), "b")
		})
	}
	t.Run("ErrConflict", func(t *testing.T) {
		s := open(t, c, etcd.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		runs := 0
		_, err := s.Update(ctx, func(tx users.Tx) error {
			if _, err := tx.Get(counter); err != nil {
				return err
			}
			if runs++; runs == 5 {
				cancel()
			}
			put(t, s, counter, "another's")
			return tx.Put(counter, []byte("ours"))
		})
		if account.KindOf(err) != account.KindConflict || runs != 5 {
			t.Errorf("it ended with %v after %d runs, want Conflict after 5", err, runs)
		}
		if got := get(t, s, counter); got != "another's" {
			t.Errorf("the store has %q", got)
		}
	})
	t.Run("RunsAgainWithoutAsking", func(t *testing.T) { // the failed commit brought what had changed
		s := open(t, c, etcd.Options{})
		put(t, s, counter, "0")
		_, runs, err := count(t.Context(), s, func() { put(t, s, counter, "10") })
		if err != nil || runs != 2 {
			t.Errorf("it ended with %v after %d runs, want success after 2", err, runs)
		}
		if got := get(t, s, counter); got != "11" {
			t.Errorf("the counter is %s, want 11", got)
		}
	})
}

// TestCompaction compacts what is being read.
func TestCompaction(t *testing.T) {
	c := start(t)
	s := open(t, c, etcd.Options{})
	compact := func() {
		at := put(t, s, key("other"), "x")
		if _, err := direct(t, c).Compact(t.Context(), int64(at)); err != nil {
			t.Error(err)
		}
	}
	put(t, s, key("a"), "a")
	t.Run("EndsAView", func(t *testing.T) {
		runs := 0
		err := s.View(t.Context(), func(r users.Reader) error {
			runs++
			if _, err := r.Get(key("a")); err != nil {
				return err
			}
			compact()
			_, err := r.Get(key("b"))
			return err
		})
		if account.KindOf(err) != account.KindUnavailable || runs != 1 {
			t.Errorf("it ended with %v after %d runs, want Unavailable after 1", err, runs)
		}
	})
	t.Run("RunsAnUpdateAgain", func(t *testing.T) {
		runs := 0
		_, err := s.Update(t.Context(), func(tx users.Tx) error {
			if _, err := tx.Get(key("a")); err != nil {
				return err
			}
			if runs++; runs == 1 {
				compact()
			}
			if _, err := tx.Get(key("b")); err != nil {
				return err
			}
			return tx.Put(key("b"), []byte("b"))
		})
		if err != nil || runs != 2 {
			t.Errorf("it ended with %v after %d runs, want success after 2", err, runs)
		}
	})
}

func revision(t testing.TB, s users.Store) (at account.Revision) {
	t.Helper()
	if err := s.View(t.Context(), func(r users.Reader) error {
		at = r.Revision()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return at
}
