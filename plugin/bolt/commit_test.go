package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestUpdateGroups(t *testing.T) {
	t.Run("OneCommitForAllThatWait", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		commits := countCommits(s)
		held := hold(t, s)
		var waiting []<-chan result
		for i := range 50 {
			waiting = append(waiting, update(s, accountKey(i)))
			waitQueued(t, s, i+1)
		}
		held.release()
		last := (<-held.done).at
		for i, u := range waiting {
			r := <-u
			if r.err != nil || r.at <= last {
				t.Errorf("update %d: revision %d after %d, error %v", i, r.at, last, r.err)
			}
			last = r.at
		}
		if *commits != 1 {
			t.Errorf("%d commits for 51 updates that waited together, want 1", *commits)
		}
		if got := revision(t, s); got != last {
			t.Errorf("revision %d, want %d", got, last)
		}
	})
	t.Run("NoLargerThanItsBound", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		commits := countCommits(s)
		held := hold(t, s)
		var waiting []<-chan result
		for i := range bolt.MaxGroup {
			waiting = append(waiting, update(s, accountKey(i)))
			waitQueued(t, s, i+1)
		}
		held.release()
		for _, u := range append(waiting, held.done) {
			if r := <-u; r.err != nil {
				t.Error(r.err)
			}
		}
		if *commits != 2 {
			t.Errorf("%d commits for one update more than a group takes, want 2", *commits)
		}
	})
	t.Run("NoCommitWithoutAWrite", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		want := put(t, s, accountKey(1), "x")
		commits := countCommits(s)
		at, err := s.Update(t.Context(), func(tx users.Tx) error {
			_, err := tx.Get(accountKey(1))
			return errors.Join(err, tx.Delete(accountKey(2)))
		})
		if err != nil || at != want {
			t.Errorf("revision %d, error %v, want %d", at, err, want)
		}
		if *commits != 0 {
			t.Errorf("%d commits, want none", *commits)
		}
	})
	t.Run("EachSeesTheEarlierOnes", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		held := hold(t, s)
		counter := users.Key{Space: users.Meta, Name: "counter"}
		var waiting []<-chan result
		for i := range 20 {
			waiting = append(waiting, start(s, t.Context(), func(tx users.Tx) error {
				old, err := tx.Get(counter)
				if err != nil {
					return err
				}
				return tx.Put(counter, append(old[:len(old):len(old)], 'x'))
			}))
			waitQueued(t, s, i+1)
		}
		held.release()
		for _, u := range append(waiting, held.done) {
			if r := <-u; r.err != nil {
				t.Error(r.err)
			}
		}
		if err := s.View(t.Context(), func(r users.Reader) error {
			got, err := r.Get(counter)
			if len(got) != 20 {
				t.Errorf("20 increments came to %d", len(got))
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	t.Run("OthersSurviveOneThatFails", func(t *testing.T) {
		failures := map[string]func() error{
			"Error":  func() error { return account.NotFound("x") },
			"Panic":  func() error { panic("as asked") },
			"Goexit": func() error { runtime.Goexit(); return nil },
		}
		for name, fail := range failures {
			t.Run(name, func(t *testing.T) {
				s := open(t, newPath(t), bolt.Options{})
				held := hold(t, s)
				before := update(s, accountKey(1))
				waitQueued(t, s, 1)
				failed := start(s, t.Context(), func(tx users.Tx) error {
					if err := tx.Put(accountKey(1), []byte("spoiled")); err != nil {
						return err
					}
					if err := tx.Put(accountKey(2), []byte("spoiled")); err != nil {
						return err
					}
					return fail()
				})
				waitQueued(t, s, 2)
				after := update(s, accountKey(3))
				waitQueued(t, s, 3)
				held.release()
				if r := <-failed; r.err == nil && r.panicked == nil && !r.exited {
					t.Errorf("the one that failed returned revision %d", r.at)
				} else if name == "Error" && account.KindOf(r.err) != account.KindNotFound {
					t.Errorf("got %v, want the function's own error", r.err)
				} else if name == "Panic" && r.panicked != "as asked" {
					t.Errorf("panicked with %v in its caller", r.panicked)
				}
				for _, u := range []<-chan result{before, after} {
					if r := <-u; r.err != nil {
						t.Error(r.err)
					}
				}
				want := map[string]string{accountKey(1).Name: "a000001", accountKey(3).Name: "a000003"}
				if diff := cmp.Diff(want, contents(t, s)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestUpdateContext(t *testing.T) {
	t.Run("EndsWhileItWaits", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		held := hold(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		waiting := start(s, ctx, func(users.Tx) error {
			t.Error("ran although its context had ended")
			return nil
		})
		waitQueued(t, s, 1)
		cancel()
		if r := <-waiting; !errors.Is(r.err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", r.err)
		}
		held.release()
		if r := <-held.done; r.err != nil {
			t.Error(r.err)
		}
	})
	t.Run("EndsOnceItRuns", func(t *testing.T) {
		s := open(t, newPath(t), bolt.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := s.Update(ctx, func(tx users.Tx) error {
			cancel()
			return tx.Put(accountKey(1), nil)
		}); err != nil {
			t.Errorf("got %v, want the true outcome", err)
		}
		if diff := cmp.Diff(map[string]string{accountKey(1).Name: ""}, contents(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUpdateRefuses(t *testing.T) {
	s := open(t, newPath(t), bolt.Options{})
	for name, key := range map[string]users.Key{
		"NoName":       {Space: users.Accounts},
		"LongName":     {Space: users.Accounts, Name: string(make([]byte, users.MaxName+1))},
		"NoSpace":      {Name: "x"},
		"UnknownSpace": {Space: "elsewhere", Name: "x"},
		"TheFilesOwn":  {Space: "concourse-users", Name: "layout"},
	} {
		t.Run(name, func(t *testing.T) {
			if at, err := s.Update(t.Context(), func(tx users.Tx) error { return tx.Put(key, nil) }); err == nil {
				t.Errorf("put %v at revision %d", key, at)
			}
		})
	}
}

// result is how an Update ended.
type result struct {
	at       account.Revision
	err      error
	panicked any
	exited   bool
}

// start calls Update in a goroutine of its own.
func start(s *bolt.Store, ctx context.Context, fn func(users.Tx) error) <-chan result {
	done := make(chan result, 1)
	go func() {
		r := result{exited: true}
		defer func() {
			r.panicked = recover()
			done <- r
		}()
		r.at, r.err = s.Update(ctx, fn)
		r.exited = false
	}()
	return done
}

// update puts a key's own name under it.
func update(s *bolt.Store, key users.Key) <-chan result {
	return start(s, context.Background(), func(tx users.Tx) error { return tx.Put(key, []byte(key.Name)) })
}

// held is an Update whose function has begun and waits.
type held struct {
	release func()
	done    <-chan result
}

func hold(t *testing.T, s *bolt.Store) held {
	t.Helper()
	running, release := make(chan struct{}), make(chan struct{})
	done := start(s, context.Background(), func(tx users.Tx) error {
		close(running)
		<-release
		return tx.Put(users.Key{Space: users.Meta, Name: "held"}, nil)
	})
	<-running
	return held{release: func() { close(release) }, done: done}
}

// waitQueued waits until n updates are in the queue.
func waitQueued(t *testing.T, s *bolt.Store, n int) {
	t.Helper()
	for bolt.Queued(s) < n {
		if t.Context().Err() != nil {
			t.Fatal(fmt.Errorf("%d updates are queued, want %d", bolt.Queued(s), n))
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func countCommits(s *bolt.Store) *int {
	n := new(int)
	bolt.WrapCommit(s, func(commit, _ func() error) error {
		*n++
		return commit()
	})
	return n
}
