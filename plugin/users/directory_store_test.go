package users_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

var errOwn = errors.New("the function's own error")

// named are enabled accounts without passwords.
func named(names ...string) (all []users.Entry) {
	for _, n := range names {
		all = append(all, users.Entry{Username: n, Enabled: true})
	}
	return all
}

func readOnly(t *testing.T, d users.Directory) users.Store {
	t.Helper()
	s := users.ReadOnly("test", d)
	t.Cleanup(func() { s.Close() })
	return s
}

// namesIn returns the accounts and the revision of one View.
func namesIn(t *testing.T, s users.Store, after string) (names []string, at account.Revision) {
	t.Helper()
	if err := s.View(t.Context(), func(r users.Reader) error {
		names, at = nil, r.Revision()
		return r.Scan(users.Accounts, after, func(name string, value []byte) error {
			same, err := r.Get(users.Key{Space: users.Accounts, Name: name})
			if string(same) != string(value) || len(value) == 0 {
				t.Errorf("%s is %q, and %q in the Scan", name, same, value)
			}
			names = append(names, name)
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	return names, at
}

// events returns what comes before the answer to a Progress.
func events(t *testing.T, w users.Watcher) (all []users.Event) {
	t.Helper()
	if err := w.Progress(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Name == "" {
			return all
		}
		all = append(all, e)
	}
}

func TestDirectoryStore(t *testing.T) {
	t.Run("View", func(t *testing.T) {
		d := (&people{}).is(named("b", "c", "a")...)
		s := readOnly(t, d)
		names, at := namesIn(t, s, "")
		if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" {
			t.Error(diff)
		}
		if rest, same := namesIn(t, s, "a"); len(rest) != 2 || rest[0] != "b" || same != at {
			t.Errorf("after a: %v, at %d instead of %d", rest, same, at)
		}
		d.is(named("d")...)
		if names, later := namesIn(t, s, ""); len(names) != 1 || names[0] != "d" || later <= at {
			t.Errorf("after the change: %v at %d, before at %d", names, later, at)
		}
		if err := s.View(t.Context(), func(r users.Reader) error {
			for _, space := range users.Spaces() {
				if value, err := r.Get(users.Key{Space: space, Name: "nobody"}); err != nil || value != nil {
					t.Errorf("nobody in %s is %q, %v", space, value, err)
				}
				if err := r.Scan(space, "", func(string, []byte) error { return users.ErrStop }); err != nil {
					t.Errorf("a Scan of %s that stops: %v", space, err)
				}
			}
			return errOwn
		}); !errors.Is(err, errOwn) {
			t.Errorf("View returned %v", err)
		}
	})
	t.Run("RevisionsGoOnAfterARestart", func(t *testing.T) {
		d := (&people{}).is(named("a")...)
		before := readOnly(t, d)
		var at account.Revision
		for i := range 100 { // faster than the clock, perhaps
			d.is(named(fmt.Sprint("a", i))...)
			_, next := namesIn(t, before, "")
			if next <= at {
				t.Fatalf("revision %d after %d", next, at)
			}
			at = next
		}
		time.Sleep(time.Millisecond)
		if _, next := namesIn(t, readOnly(t, (&people{}).is(named("a")...)), ""); next <= at {
			t.Errorf("revision %d after %d", next, at)
		}
	})
	t.Run("ErrUnsupported", func(t *testing.T) {
		s := readOnly(t, (&people{}).is(named("a")...))
		k := users.Key{Space: users.Accounts, Name: "a"}
		for name, write := range map[string]func(users.Tx) error{
			"Put":    func(tx users.Tx) error { return tx.Put(k, []byte("x")) },
			"Delete": func(tx users.Tx) error { return tx.Delete(k) },
		} {
			if _, err := s.Update(t.Context(), write); account.KindOf(err) != account.KindUnsupported {
				t.Errorf("%s: %v", name, err)
			}
		}
		if names, _ := namesIn(t, s, ""); len(names) != 1 {
			t.Errorf("it has %v", names)
		}
	})
	t.Run("Watch", func(t *testing.T) {
		d := (&people{}).is(named("a", "b")...)
		s := readOnly(t, d)
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if got := events(t, w); len(got) != 0 {
			t.Errorf("what was there before came: %v", got)
		}
		d.is(append(named("b", "c"), users.Entry{Username: "d"})...)
		got := events(t, w)
		_, at := namesIn(t, s, "")
		var names []string
		for _, e := range got {
			if e.Revision != at || (e.Value == nil) != (e.Name == "a") {
				t.Errorf("%s came at %d, the state is at %d, with %q", e.Name, e.Revision, at, e.Value)
			}
			names = append(names, e.Name)
		}
		if diff := cmp.Diff([]string{"c", "d", "a"}, names); diff != "" {
			t.Error(diff)
		}
		// What was there for a moment and was seen by a View is not left out.
		d.is(named("b")...)
		namesIn(t, s, "")
		d.is(append(named("b", "c"), users.Entry{Username: "d"})...)
		if got := events(t, w); len(got) != 4 {
			t.Errorf("there and back came as %v", got)
		}
	})
	t.Run("WatchNeedsNoAsking", func(t *testing.T) {
		d := (&people{}).is(named("a")...)
		w, err := readOnly(t, d).Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		d.is(named("b")...)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if e, err := w.Next(ctx); err != nil || e.Name != "b" {
			t.Errorf("Next: %v, %v", e, err)
		}
	})
	t.Run("ErrFellBehind", func(t *testing.T) {
		var many []string
		for i := range 3000 {
			many = append(many, fmt.Sprint("user", i))
		}
		d := (&people{}).is()
		s := readOnly(t, d)
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		d.is(named(many...)...)
		if got := events(t, w); len(got) != len(many) {
			t.Errorf("%d changes came as %d", len(many), len(got))
		}
		for _, now := range [][]users.Entry{nil, named(many...), nil} {
			d.is(now...)
			namesIn(t, s, "")
		}
		if _, err := w.Next(t.Context()); !errors.Is(err, users.ErrFellBehind) {
			t.Errorf("Next returned %v", err)
		}
	})
	t.Run("Close", func(t *testing.T) {
		d := (&people{}).is(named("a")...)
		s := readOnly(t, d)
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { _, err := w.Next(context.Background()); ended <- err }()
		hanging := make(chan struct{})
		d.set(func(d *people) { d.before = func(ctx context.Context) { close(hanging); <-ctx.Done() } })
		viewed := make(chan error, 1)
		go func() { viewed <- s.View(context.Background(), func(users.Reader) error { return nil }) }()
		<-hanging
		if err := errors.Join(s.Close(), s.Close()); err != nil || d.closed != 1 {
			t.Errorf("Close: %v, and the directory was closed %d times", err, d.closed)
		}
		for what, err := range map[string]error{"the View under way": <-viewed, "Next": <-ended} {
			if account.KindOf(err) != account.KindUnavailable {
				t.Errorf("%s ended with %v", what, err)
			}
		}
		if err := s.View(t.Context(), func(users.Reader) error { return nil }); err == nil {
			t.Error("a View after Close succeeded")
		}
		if _, err := s.Watch(t.Context()); err == nil {
			t.Error("a Watch after Close succeeded")
		}
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrWatchWhileItCloses", func(t *testing.T) {
		var s users.Store
		closed := make(chan error, 1)
		s = readOnly(t, deaf{func(ctx context.Context) {
			go func() { closed <- s.Close() }()
			<-ctx.Done() // Close has ended the watchers that it found
		}})
		if _, err := s.Watch(t.Context()); account.KindOf(err) != account.KindUnavailable {
			t.Errorf("Watch: %v", err)
		}
		if err := <-closed; err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// One Load answers everybody who came before it began, and nobody who came
// later.
func TestDirectoryStoreLoads(t *testing.T) {
	d := (&people{}).is(named("a")...)
	s := readOnly(t, d)
	namesIn(t, s, "")
	t.Run("OfMany", func(t *testing.T) {
		const many = 50
		loads := 0
		for patience := 10 * time.Millisecond; patience < 10*time.Second; patience *= 2 {
			if loads = loadsOf(t, d, s, many, patience); loads < 2 {
				t.Fatal("a View was answered by a Load from before it")
			}
			if loads < many {
				return
			}
		}
		t.Errorf("%d Views at once always take %d Loads", many, loads)
	})
	t.Run("OfACallerWhoGivesUp", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := &hasty{before: func(ctx context.Context) {
			if end, ok := ctx.Deadline(); !ok || time.Until(end) > 30*time.Second {
				t.Errorf("the Load may go on until %v", end)
			}
			cancel()
		}}
		s := readOnly(t, d)
		if err := s.View(ctx, func(users.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("the View of one who gave up: %v", err)
		}
		if names, _ := namesIn(t, s, ""); len(names) != 1 {
			t.Errorf("the next one sees %v", names)
		}
	})
}

// hasty is a Directory of the account "a" that notes what it has told before it
// has.
type hasty struct {
	told   bool
	before func(context.Context)
}

func (h *hasty) Load(ctx context.Context) ([]users.Entry, error) {
	if h.told {
		return nil, users.ErrUnchanged
	}
	h.told = true
	h.before(ctx)
	return named("a"), ctx.Err()
}

func (*hasty) Close() error { return nil }

// deaf is a Directory that goes on when it is to stop.
type deaf struct{ before func(context.Context) }

func (d deaf) Load(ctx context.Context) ([]users.Entry, error) {
	d.before(ctx)
	return named("a"), nil
}

func (deaf) Close() error { return nil }

// loadsOf counts the Loads of one View whose Load takes until many others have
// had the time to come.
func loadsOf(t *testing.T, d *people, s users.Store, many int, patience time.Duration) (loads int) {
	began, proceed := make(chan struct{}, many+1), make(chan struct{})
	d.set(func(d *people) {
		d.loads = 0
		d.before = func(context.Context) { began <- struct{}{}; <-proceed }
	})
	var views sync.WaitGroup
	view := func() {
		if err := s.View(context.Background(), func(users.Reader) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	views.Go(view)
	<-began
	for range many {
		views.Go(view)
	}
	time.Sleep(patience)
	close(proceed)
	views.Wait()
	d.set(func(d *people) { d.before, loads = nil, d.loads })
	return loads
}
