package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cinchapi/concourse-users/plugin/users"
)

var serializableCases = []testCase{
	{"Increments", func(t *testing.T, s users.Store) {
		const goroutines, each = 16, 25
		counter := users.Key{Space: users.Meta, Name: "counter"}
		var all sync.WaitGroup
		for range goroutines {
			all.Go(func() {
				for range each {
					update(t, s, func(tx users.Tx) error {
						was, err := tx.Get(counter)
						if err != nil {
							return err
						}
						n, _ := strconv.Atoi(string(was)) // absent: 0
						return tx.Put(counter, strconv.AppendInt(nil, int64(n+1), 10))
					})
				}
			})
		}
		all.Wait()
		want(t, s, counter, fmt.Sprint(goroutines*each))
	}},
	{"AbsenceIsRead", func(t *testing.T, s users.Store) {
		for round := range 25 {
			name := key(fmt.Sprint("round", round))
			var made atomic.Int32
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					mine := false
					update(t, s, func(tx users.Tx) error {
						taken, err := tx.Get(name)
						if mine = taken == nil; err != nil || !mine {
							return err
						}
						return tx.Put(name, strconv.AppendInt(nil, int64(i), 10))
					})
					if mine {
						made.Add(1)
					}
				})
			}
			all.Wait()
			if n := made.Load(); n != 1 {
				t.Fatalf("%d goroutines found %s absent and made it, want 1", n, name.Name)
			}
		}
	}},
	// Two updates that each read what the other writes: whoever is second must
	// see the first. Snapshot isolation alone lets both through.
	{"NoWriteSkew", func(t *testing.T, s users.Store) {
		for round := range 25 {
			pair := [2]users.Key{key(fmt.Sprint("left", round)), key(fmt.Sprint("right", round))}
			put(t, s, pair[0], "here")
			put(t, s, pair[1], "here")
			var both sync.WaitGroup
			for i := range pair {
				both.Go(func() {
					update(t, s, func(tx users.Tx) error {
						other, err := tx.Get(pair[1-i])
						if err != nil || other == nil {
							return err
						}
						return tx.Delete(pair[i])
					})
				})
			}
			both.Wait()
			view(t, s, func(r users.Reader) error {
				left, err := r.Get(pair[0])
				if err != nil {
					return err
				}
				right, err := r.Get(pair[1])
				if (left == nil) == (right == nil) {
					t.Errorf("round %d left %q and %q, want one of them", round, left, right)
				}
				return err
			})
		}
	}},
}
