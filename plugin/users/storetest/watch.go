package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// watch opens a watcher that is closed with the test.
func watch(t *testing.T, s users.Store) users.Watcher {
	t.Helper()
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatalf("Watch: %v", err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func next(t *testing.T, w users.Watcher) users.Event {
	t.Helper()
	e, err := w.Next(within(t))
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return e
}

// drain asks for progress and returns the changes before it. It checks that
// revisions never fall, and that the progress is not behind the store.
func drain(t *testing.T, s users.Store, w users.Watcher) (changes []users.Event) {
	t.Helper()
	least := revision(t, s)
	if err := w.Progress(t.Context()); err != nil {
		t.Fatalf("Progress: %v", err)
	}
	var last account.Revision
	for {
		e := next(t, w)
		if e.Revision < last {
			t.Errorf("revision %d came after %d", e.Revision, last)
		}
		last = e.Revision
		switch {
		case e.Name != "":
			changes = append(changes, e)
		case e.Value != nil:
			t.Errorf("progress came with %q", e.Value)
		case e.Revision >= least:
			return changes
		default:
			t.Errorf("progress is at %d, the store was at %d before it was asked for", e.Revision, least)
			return changes
		}
	}
}

var watchCases = []testCase{
	{"DeliversInOrder", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		var wanted []users.Event
		for i := range 50 {
			name := fmt.Sprint("name", i)
			at := put(t, s, key(name), "value of "+name)
			wanted = append(wanted, users.Event{Revision: at, Name: name, Value: []byte("value of " + name)})
		}
		if diff := cmp.Diff(wanted, drain(t, s, w)); diff != "" {
			t.Error(diff)
		}
	}},
	{"DeletionHasNoValue", func(t *testing.T, s users.Store) {
		put(t, s, key("a"), "a")
		w := watch(t, s)
		at := remove(t, s, key("a"))
		if diff := cmp.Diff([]users.Event{{Revision: at, Name: "a"}}, drain(t, s, w)); diff != "" {
			t.Error(diff)
		}
	}},
	{"OnlyAccounts", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		for _, space := range users.Spaces() {
			put(t, s, users.Key{Space: space, Name: "name of " + string(space)}, "x")
		}
		got := drain(t, s, w)
		if len(got) != 1 || got[0].Name != "name of accounts" {
			t.Errorf("the stream has %v, want the account alone", got)
		}
	}},
	{"OnlyFromNowOn", func(t *testing.T, s users.Store) {
		put(t, s, key("before"), "x")
		w := watch(t, s)
		put(t, s, key("after"), "x")
		got := drain(t, s, w)
		if len(got) != 1 || got[0].Name != "after" {
			t.Errorf("the stream has %v, want what came after Watch alone", got)
		}
	}},
	{"NothingOfAFailedUpdate", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		s.Update(t.Context(), func(tx users.Tx) error { return errors.Join(tx.Put(key("a"), []byte("a")), errOwn) })
		if got := drain(t, s, w); len(got) != 0 {
			t.Errorf("the stream has %v, want nothing", got)
		}
	}},
	{"OneCommitOfManyNames", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		wanted := map[string]string{"a": "last", "b": "b", "c": "c"}
		at := update(t, s, func(tx users.Tx) error {
			return errors.Join(tx.Put(key("a"), []byte("first")), tx.Put(key("b"), []byte("b")),
				tx.Put(key("c"), []byte("c")), tx.Put(key("a"), []byte("last")))
		})
		got := map[string]string{}
		for _, e := range drain(t, s, w) {
			got[e.Name] = string(e.Value)
			if e.Revision != at {
				t.Errorf("%s came at %d, its commit is %d", e.Name, e.Revision, at)
			}
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Error(diff)
		}
	}},
	{"EndsWithTheLastChange", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		var at account.Revision
		for i := range 100 {
			at = put(t, s, key("same"), fmt.Sprint(i))
		}
		got := drain(t, s, w)
		wanted := users.Event{Revision: at, Name: "same", Value: []byte("99")}
		if len(got) == 0 {
			t.Fatal("the stream has nothing")
		}
		if diff := cmp.Diff(wanted, got[len(got)-1]); diff != "" {
			t.Error(diff)
		}
	}},
	{"ManyWritersManyWatchers", func(t *testing.T, s users.Store) {
		const writers, each = 8, 25
		watchers := []users.Watcher{watch(t, s), watch(t, s), watch(t, s)}
		var mu sync.Mutex
		wanted := map[string]account.Revision{}
		var all sync.WaitGroup
		for writer := range writers {
			all.Go(func() {
				for i := range each {
					name := fmt.Sprint("writer", writer, "/", i)
					at := update(t, s, func(tx users.Tx) error { return tx.Put(key(name), []byte("x")) })
					mu.Lock()
					wanted[name] = at
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for _, w := range watchers {
			got := map[string]account.Revision{}
			for _, e := range drain(t, s, w) {
				got[e.Name] = e.Revision
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Error(diff)
			}
		}
	}},
	{"EventsAreTheReceivers", func(t *testing.T, s users.Store) {
		first, second := watch(t, s), watch(t, s)
		put(t, s, key("a"), "intact")
		copy(next(t, first).Value, "broken")
		if got := next(t, second); string(got.Value) != "intact" {
			t.Errorf("one receiver's bytes reached another as %q", got.Value)
		}
		want(t, s, key("a"), "intact")
	}},
	{"NextEndsWithItsContext", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		ctx, cancel := context.WithCancel(within(t))
		ended := make(chan error, 1)
		go func() {
			_, err := w.Next(ctx)
			ended <- err
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Next returned %v, want the context's error", err)
		}
	}},
	{"OutlivesTheOpeningContext", func(t *testing.T, s users.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := s.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		cancel()
		put(t, s, key("a"), "a")
		if e := next(t, w); e.Name != "a" {
			t.Errorf("the stream has %v, want the change of a", e)
		}
	}},
	{"RefusesEndedContext", func(t *testing.T, s users.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if w, err := s.Watch(ctx); err == nil {
			w.Close()
			t.Error("a Watch with an ended context succeeded")
		}
	}},
}

var progressCases = []testCase{
	{"OfAnEmptyStore", func(t *testing.T, s users.Store) {
		if got := drain(t, s, watch(t, s)); len(got) != 0 {
			t.Errorf("the stream has %v, want nothing", got)
		}
	}},
	{"CountsOtherSpaces", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		at := put(t, s, users.Key{Space: users.Requests, Name: "r"}, "x")
		if err := w.Progress(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := next(t, w); e.Name != "" || e.Revision < at {
			t.Errorf("the stream has %v, want progress to at least %d", e, at)
		}
	}},
	{"AgainAndAgain", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		for i := range 20 {
			put(t, s, key("a"), fmt.Sprint(i))
			got := drain(t, s, w)
			if len(got) != 1 || string(got[0].Value) != fmt.Sprint(i) {
				t.Fatalf("round %d: the stream has %v, want its change", i, got)
			}
		}
	}},
	{"WhileNextWaits", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		came := make(chan users.Event, 1)
		go func() {
			e, err := w.Next(within(t))
			if err != nil {
				t.Errorf("Next: %v", err)
			}
			came <- e
		}()
		if err := w.Progress(t.Context()); err != nil {
			t.Error(err)
		}
		if e := <-came; e.Name != "" {
			t.Errorf("the stream has %v, want progress", e)
		}
	}},
	{"ManyAtOnce", func(t *testing.T, s users.Store) {
		w := watch(t, s)
		var askers sync.WaitGroup
		for i := range 8 {
			askers.Go(func() {
				for range 25 {
					update(t, s, func(tx users.Tx) error { return tx.Put(key(fmt.Sprint("a", i)), []byte("x")) })
					if err := w.Progress(t.Context()); err != nil {
						t.Errorf("Progress: %v", err)
					}
				}
			})
		}
		askers.Wait()
		at := revision(t, s)
		for e := next(t, w); e.Name != "" || e.Revision < at; e = next(t, w) {
		}
	}},
}
