package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

var updateCases = []testCase{
	{"Commits", func(t *testing.T, s users.Store) {
		put(t, s, key("a"), "first")
		want(t, s, key("a"), "first")
		put(t, s, key("a"), "second")
		want(t, s, key("a"), "second")
		remove(t, s, key("a"))
		want(t, s, key("a"), "")
	}},
	{"DeletesWhatIsAbsent", func(t *testing.T, s users.Store) {
		remove(t, s, key("nobody"))
		want(t, s, key("nobody"), "")
	}},
	{"ReadsItsOwnWrites", func(t *testing.T, s users.Store) {
		put(t, s, key("old"), "old")
		update(t, s, func(tx users.Tx) error {
			return errors.Join(
				tx.Put(key("new"), []byte("1")), wantIn(t, tx, key("new"), "1"),
				tx.Put(key("new"), []byte("2")), wantIn(t, tx, key("new"), "2"),
				tx.Delete(key("new")), wantIn(t, tx, key("new"), ""),
				tx.Put(key("new"), []byte("3")),
				tx.Delete(key("old")), wantIn(t, tx, key("old"), ""),
			)
		})
		want(t, s, key("new"), "3")
		want(t, s, key("old"), "")
	}},
	{"WritesNothingOnError", func(t *testing.T, s users.Store) {
		put(t, s, key("kept"), "as it was")
		before := revision(t, s)
		_, err := s.Update(t.Context(), func(tx users.Tx) error {
			return errors.Join(
				tx.Put(key("kept"), []byte("changed")), tx.Put(key("new"), []byte("new")),
				tx.Put(users.Key{Space: users.Meta, Name: "new"}, []byte("new")), errOwn)
		})
		if !errors.Is(err, errOwn) {
			t.Errorf("Update returned %v, want the function's error", err)
		}
		want(t, s, key("kept"), "as it was")
		want(t, s, key("new"), "")
		want(t, s, users.Key{Space: users.Meta, Name: "new"}, "")
		if after := revision(t, s); after != before {
			t.Errorf("revision %d became %d by an Update that failed", before, after)
		}
	}},
	{"RefusesEndedContext", func(t *testing.T, s users.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Update(ctx, func(tx users.Tx) error { return tx.Put(key("a"), []byte("a")) }); err == nil {
			t.Error("an Update with an ended context succeeded")
		}
		want(t, s, key("a"), "")
	}},
	{"RevisionsGrow", func(t *testing.T, s users.Store) {
		var mu sync.Mutex
		seen := map[account.Revision]bool{}
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				var last account.Revision
				for i := range 25 {
					at := update(t, s, func(tx users.Tx) error {
						return tx.Put(users.Key{Space: users.Requests, Name: fmt.Sprint(w, i)}, []byte("x"))
					})
					if at <= last {
						t.Errorf("revision %d came after %d", at, last)
					}
					last = at
					mu.Lock()
					if seen[at] {
						t.Errorf("revision %d is that of two commits", at)
					}
					seen[at] = true
					mu.Unlock()
				}
			})
		}
		writers.Wait()
	}},
	{"SeesTheRevisionBeforeIt", func(t *testing.T, s users.Store) {
		at := put(t, s, key("a"), "a")
		update(t, s, func(tx users.Tx) error {
			if tx.Revision() < at {
				t.Errorf("an Update begun after revision %d was at %d", at, tx.Revision())
			}
			return nil
		})
	}},
	{"KeepsBigValues", func(t *testing.T, s users.Store) {
		big := strings.Repeat("0123456789abcdef", 20<<10) // 320 KiB, as much as the grants of one account may take
		put(t, s, key("big"), big)
		put(t, s, key("small"), "small")
		want(t, s, key("big"), big)
		want(t, s, key("small"), "small")
	}},
	{"KeepsLongNames", func(t *testing.T, s users.Store) {
		longest := key(strings.Repeat("n", users.MaxName))
		put(t, s, longest, "long")
		put(t, s, key(longest.Name[:users.MaxName-1]), "shorter")
		want(t, s, longest, "long")
	}},
	{"KeepsItsOwnCopy", func(t *testing.T, s users.Store) {
		value := []byte("mine")
		update(t, s, func(tx users.Tx) error { return tx.Put(key("a"), value) })
		copy(value, "none")
		want(t, s, key("a"), "mine")
	}},
	{"KeepsWhatItReturned", func(t *testing.T, s users.Store) {
		old := bytes.Repeat([]byte("old"), 1000)
		put(t, s, key("a"), string(old))
		update(t, s, func(tx users.Tx) error {
			got, err := tx.Get(key("a"))
			if err != nil {
				return err
			}
			for i := range 100 {
				if err := tx.Put(key(fmt.Sprint("a", i)), bytes.Repeat([]byte("new"), 1000)); err != nil {
					return err
				}
			}
			if err := errors.Join(tx.Put(key("a"), bytes.Repeat([]byte("new"), 1000)), tx.Delete(key("a"))); err != nil {
				return err
			}
			if !bytes.Equal(got, old) {
				t.Error("a value changed after it was read, within its transaction")
			}
			return nil
		})
	}},
}
