package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cinchapi/concourse-users/plugin/users"
)

var viewCases = []testCase{
	{"AbsentIsNil", func(t *testing.T, s users.Store) {
		for _, space := range users.Spaces() {
			want(t, s, users.Key{Space: space, Name: "nobody"}, "")
		}
	}},
	{"SpacesAreApart", func(t *testing.T, s users.Store) {
		for _, space := range users.Spaces() {
			put(t, s, users.Key{Space: space, Name: "same"}, string(space))
		}
		for _, space := range users.Spaces() {
			want(t, s, users.Key{Space: space, Name: "same"}, string(space))
		}
	}},
	{"ErrorComesBack", func(t *testing.T, s users.Store) {
		if err := s.View(t.Context(), func(users.Reader) error { return errOwn }); !errors.Is(err, errOwn) {
			t.Errorf("View returned %v, want the function's error", err)
		}
	}},
	{"RefusesEndedContext", func(t *testing.T, s users.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.View(ctx, func(users.Reader) error { return nil }); err == nil {
			t.Error("a View with an ended context succeeded")
		}
	}},
	{"SeesEveryReturnedUpdate", func(t *testing.T, s users.Store) {
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				k := key(fmt.Sprint("writer", w))
				for i := range 25 {
					at := update(t, s, func(tx users.Tx) error { return tx.Put(k, fmt.Append(nil, "value ", i)) })
					view(t, s, func(r users.Reader) error {
						if r.Revision() < at {
							t.Errorf("a View begun after revision %d was at %d", at, r.Revision())
						}
						return wantIn(t, r, k, fmt.Sprint("value ", i))
					})
				}
			})
		}
		writers.Wait()
	}},
	{"PrefetchChangesNothing", func(t *testing.T, s users.Store) { // of a Prefetcher; for others there is nothing to change
		there, absent := key("there"), users.Key{Space: users.Meta, Name: "absent"}
		put(t, s, there, "as it is")
		prefetched := func(r users.Reader, keys ...users.Key) error {
			if p, ok := r.(users.Prefetcher); ok {
				return p.Prefetch(keys)
			}
			return nil
		}
		view(t, s, func(r users.Reader) error {
			return errors.Join(
				prefetched(r), prefetched(r, there, absent, there),
				wantIn(t, r, there, "as it is"), wantIn(t, r, absent, ""), wantIn(t, r, key("another"), ""))
		})
		update(t, s, func(tx users.Tx) error {
			return errors.Join(
				tx.Put(there, []byte("written")), prefetched(tx, there, absent),
				wantIn(t, tx, there, "written"), wantIn(t, tx, absent, ""),
				tx.Put(absent, []byte("new")), wantIn(t, tx, absent, "new"),
				tx.Delete(there), wantIn(t, tx, there, ""))
		})
		want(t, s, there, "")
		want(t, s, absent, "new")
	}},
	{"IsOneState", func(t *testing.T, s users.Store) {
		both := []users.Key{key("left"), {Space: users.Meta, Name: "right"}}
		write := func(i int) error {
			_, err := s.Update(t.Context(), func(tx users.Tx) error {
				return errors.Join(tx.Put(both[0], fmt.Append(nil, i)), tx.Put(both[1], fmt.Append(nil, i)))
			})
			return err
		}
		if err := write(0); err != nil {
			t.Fatal(err)
		}
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := range 50 {
				if err := write(i + 1); err != nil {
					t.Error(err)
				}
			}
		})
		for range 100 {
			view(t, s, func(r users.Reader) error {
				before := r.Revision()
				left, err := r.Get(both[0])
				if err != nil {
					return err
				}
				if after := r.Revision(); after != before {
					t.Errorf("the revision went from %d to %d inside a View", before, after)
				}
				return wantIn(t, r, both[1], string(left))
			})
		}
		writer.Wait()
	}},
}
