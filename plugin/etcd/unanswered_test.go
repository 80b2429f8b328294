package etcd_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// unanswered is a store behind a tap, and another over the same keys. The
// counter is 1.
type unanswered struct {
	*etcd.Store
	tap    *tap
	beside users.Store
}

func newUnanswered(t *testing.T, c *etcdtest.Cluster) *unanswered {
	t.Helper()
	o := etcd.Options{Prefix: fresh(t)}
	u := &unanswered{tap: tapped(t, c.Endpoints()[0]), beside: open(t, c, o)}
	o.Endpoints, o.RequestTimeout = []string{u.tap.endpoint()}, impatient
	u.Store = open(t, c, o)
	if _, _, err := count(t.Context(), u, nil); err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *unanswered) want(t *testing.T, n int) {
	t.Helper()
	if got := get(t, u.beside, counter); got != strconv.Itoa(n) {
		t.Errorf("the counter is %s, want %d", got, n)
	}
}

// arrive has a request that was held arrive at etcd, after all.
func arrive(t *testing.T, held []*link) {
	t.Helper()
	arrived := false
	for _, l := range held {
		before := l.answers.n.Load()
		if !l.release() {
			continue
		}
		arrived = true
		eventually(t, "etcd answers the late request", func() bool { return l.answers.n.Load() > before })
	}
	if !arrived {
		t.Fatal("nothing was held")
	}
}

// TestUpdateUnanswered loses requests and answers: what an Update was to do is
// done once, or not at all, and it says which.
func TestUpdateUnanswered(t *testing.T) {
	c := start(t)
	t.Run("Made", func(t *testing.T) { // the answer is lost
		u := newUnanswered(t, c)
		at, runs, err := count(within(t), u, u.tap.silence)
		if err != nil || runs != 2 {
			t.Errorf("it ended with %v after %d runs, want success after 2", err, runs)
		}
		u.want(t, 2)
		if now := revision(t, u.beside); now != at {
			t.Errorf("the revision is %d, and was said to be %d", now, at)
		}
	})
	t.Run("MadeAndChangedSince", func(t *testing.T) {
		u := newUnanswered(t, c)
		done := make(chan error, 1)
		go func() {
			_, _, err := count(within(t), u, u.tap.silence)
			done <- err
		}()
		eventually(t, "it is made", func() bool { return get(t, u.beside, counter) == "2" })
		if _, _, err := count(t.Context(), u.beside, nil); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		u.want(t, 3)
	})
	t.Run("CutOff", func(t *testing.T) { // whether it was made is chance
		u := newUnanswered(t, c)
		for i := range 20 {
			_, _, err := count(within(t), u, func() { time.AfterFunc(time.Duration(i)*100*time.Microsecond, u.tap.cut) })
			if err != nil {
				t.Fatal(err)
			}
			u.want(t, i+2)
		}
	})
	t.Run("Lost", func(t *testing.T) { // the request is
		u := newUnanswered(t, c)
		if _, runs, err := count(within(t), u, func() { u.tap.hold() }); err != nil || runs != 2 {
			t.Errorf("it ended with %v after %d runs, want success after 2", err, runs)
		}
		u.want(t, 2)
	})
	t.Run("Late", func(t *testing.T) { // after it was made anew
		u := newUnanswered(t, c)
		var held []*link
		if _, _, err := count(within(t), u, func() { held = u.tap.hold() }); err != nil {
			t.Fatal(err)
		}
		arrive(t, held)
		u.want(t, 2)
	})
	t.Run("LateInBetween", func(t *testing.T) { // after it was looked up, and not found
		u := newUnanswered(t, c)
		record := users.Key{Space: users.Requests, Name: rand.Text()}
		var held []*link
		runs := 0
		if _, err := u.Update(within(t), func(tx users.Tx) error {
			runs++
			done, err := tx.Get(record)
			if err != nil || done != nil {
				return err
			}
			if _, err := tx.Get(counter); err != nil {
				return err
			}
			switch runs {
			case 1:
				held = u.tap.hold()
			case 2:
				arrive(t, held)
			}
			return errors.Join(tx.Put(record, []byte("done")), tx.Put(counter, []byte(fmt.Sprint("by run ", runs))))
		}); err != nil || runs != 3 {
			t.Errorf("it ended with %v after %d runs, want success after 3", err, runs)
		}
		if got := get(t, u.beside, counter); got != "by run 1" {
			t.Errorf("the counter is %q, want what was written first", got)
		}
	})
	t.Run("LateAndNothingRead", func(t *testing.T) { // it does not undo what came later
		u := newUnanswered(t, c)
		var held []*link
		if _, err := u.Update(within(t), func(tx users.Tx) error {
			if err := tx.(users.Prefetcher).Prefetch([]users.Key{counter}); err != nil {
				return err
			}
			if held == nil {
				held = u.tap.hold()
			}
			return tx.Put(counter, []byte("late"))
		}); err != nil {
			t.Fatal(err)
		}
		put(t, u.beside, counter, "1")
		arrive(t, held)
		u.want(t, 1)
	})
	t.Run("LateAndRefused", func(t *testing.T) { // what it read has changed
		u := newUnanswered(t, c)
		var held []*link
		_, err := u.Update(within(t), func(tx users.Tx) error {
			locked, err := tx.Get(key("lock"))
			switch {
			case err != nil:
				return err
			case locked != nil:
				return account.NotPermitted("", "it is locked")
			}
			held = u.tap.hold()
			put(t, u.beside, key("lock"), "locked")
			return tx.Put(counter, []byte("late"))
		})
		if account.KindOf(err) != account.KindNotPermitted {
			t.Errorf("it ended with %v, want the function's refusal", err)
		}
		arrive(t, held)
		u.want(t, 1)
	})
	t.Run("LateAndRefusedForNothing", func(t *testing.T) { // as by a function that looks at the clock
		u := newUnanswered(t, c)
		var held []*link
		_, err := u.Update(within(t), func(tx users.Tx) error {
			if _, err := tx.Get(counter); err != nil {
				return err
			}
			if held != nil {
				return account.NotPermitted("", "it is too late")
			}
			held = u.tap.hold()
			return tx.Put(counter, []byte("2"))
		})
		uncertain(t, err)
		arrive(t, held)
		u.want(t, 2)
	})
	t.Run("Uncertain", func(t *testing.T) {
		for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
			"TimeIsOver": func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 2*impatient)
			},
			"Canceled": func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(2*impatient, cancel)
				return ctx, cancel
			},
			"PatienceIsOver": func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		} {
			t.Run(name, func(t *testing.T) {
				u := newUnanswered(t, c)
				ctx, cancel := end(within(t))
				defer cancel()
				_, _, err := count(ctx, u, func() { u.tap.refuse(true); u.tap.silence() })
				uncertain(t, err)
				u.tap.refuse(false)
				u.want(t, 2)
				for range 3 {
					if _, _, err := count(within(t), u, nil); err != nil {
						t.Fatal(err)
					}
				}
				u.want(t, 5)
			})
		}
	})
}

// uncertain wants an error of which the host cannot think that nothing happened.
func uncertain(t *testing.T, err error) {
	t.Helper()
	if known, ok := errors.AsType[*account.Error](err); err == nil || ok {
		t.Errorf("it ended with %v (%v), want an error that is no *account.Error", err, known)
	}
}
