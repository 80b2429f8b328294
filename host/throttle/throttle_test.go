package throttle_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

// clock is a time that tests set.
type clock struct{ elapsed atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1e9, c.elapsed.Load()) }
func (c *clock) advance(d time.Duration) { c.elapsed.Add(int64(d)) }

func fresh(entries int) (*throttle.Throttle, *clock) {
	c := &clock{}
	return throttle.New(throttle.Options{Entries: entries, Now: c.now}), c
}

// try makes one attempt, and returns how long it was told to wait, if it was.
func try(t testing.TB, th *throttle.Throttle, name, source string, o throttle.Outcome) time.Duration {
	t.Helper()
	done, err := th.Allow(t.Context(), name, source, account.ClientListener)
	if err != nil {
		return retryAfter(t, err)
	}
	done(o)
	return 0
}

func retryAfter(t testing.TB, err error) time.Duration {
	t.Helper()
	e, ok := errors.AsType[*account.Error](err)
	if !ok || e.Kind != account.KindThrottled || e.RetryAfter <= 0 {
		t.Fatalf("refused with %#v", err)
	}
	return e.RetryAfter
}

// wantFree makes attempts that fail and must all be let through.
func wantFree(t *testing.T, th *throttle.Throttle, n int, name, source string) {
	t.Helper()
	for i := range n {
		if wait := try(t, th, name, source, throttle.Failed); wait != 0 {
			t.Fatalf("failure %d waits %v", i+1, wait)
		}
	}
}

func TestAllow_DelayGrows(t *testing.T) {
	th, c := fresh(0)
	wantFree(t, th, 3, "jeff", "a")
	for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		want := seconds * time.Second
		if wait := try(t, th, "jeff", "a", throttle.Failed); wait != want {
			t.Fatalf("told to wait %v, want %v", wait, want)
		}
		c.advance(want - 1)
		if wait := try(t, th, "jeff", "a", throttle.Failed); wait != 1 {
			t.Fatalf("1 ns before the time told to wait %v", wait)
		}
		c.advance(1)
		wantFree(t, th, 1, "jeff", "a")
	}
}

func TestAllow_OthersAreNotSlowed(t *testing.T) {
	th, _ := fresh(0)
	wantFree(t, th, 3, "jeff", "stranger")
	if wait := try(t, th, "jeff", "stranger", throttle.Failed); wait == 0 {
		t.Fatal("the stranger is not slowed")
	}
	if wait := try(t, th, "jeff", "own", throttle.Succeeded); wait != 0 {
		t.Errorf("the account's owner waits %v for a stranger", wait)
	}
	if wait := try(t, th, "ann", "stranger", throttle.Succeeded); wait != 0 {
		t.Errorf("another account from the same source waits %v", wait)
	}
	for _, mixed := range [][2]string{{"jeffs", "tranger"}, {"jeffstranger", ""}, {"", "jeffstranger"}} {
		if wait := try(t, th, mixed[0], mixed[1], throttle.Failed); wait != 0 {
			t.Errorf("%q is taken for another pair", mixed)
		}
	}
}

func TestAllow_SuccessForgets(t *testing.T) {
	th, c := fresh(0)
	wantFree(t, th, 3, "jeff", "a")
	c.advance(time.Second)
	try(t, th, "jeff", "a", throttle.Succeeded)
	wantFree(t, th, 3, "jeff", "a")
}

func TestAllow_QuietForgets(t *testing.T) {
	th, c := fresh(0)
	wantFree(t, th, 3, "jeff", "a")
	c.advance(15*time.Minute - 1)
	wantFree(t, th, 1, "jeff", "a") // the fourth
	if wait := try(t, th, "jeff", "a", throttle.Failed); wait != 2*time.Second {
		t.Errorf("told to wait %v, want 2 s after the fourth failure", wait)
	}
	c.advance(15 * time.Minute)
	wantFree(t, th, 3, "jeff", "a")
}

func TestAllow_UndecidedChangesNothing(t *testing.T) {
	th, _ := fresh(0)
	wantFree(t, th, 2, "jeff", "a")
	for range 10 {
		if wait := try(t, th, "jeff", "a", throttle.Undecided); wait != 0 {
			t.Fatalf("undecided attempts count: told to wait %v", wait)
		}
	}
	wantFree(t, th, 1, "jeff", "a")
	if wait := try(t, th, "jeff", "a", throttle.Failed); wait == 0 {
		t.Error("undecided attempts made it forget")
	}
}

func TestAllow_DoneTwice(t *testing.T) {
	th, _ := fresh(0)
	done, err := th.Allow(t.Context(), "jeff", "a", account.ClientListener)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		done(throttle.Failed)
	}
	wantFree(t, th, 2, "jeff", "a")
}

// However many guesses are made at once, no more fail than one after the other.
func TestAllow_GuessesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttle.New(throttle.Options{})
		var underWay, most, guesses atomic.Int64
		var guessers sync.WaitGroup
		for range 50 {
			guessers.Go(func() {
				done, err := th.Allow(t.Context(), "jeff", "a", account.ClientListener)
				if err != nil {
					retryAfter(t, err)
					return
				}
				guesses.Add(1)
				most.Store(max(most.Load(), underWay.Add(1)))
				time.Sleep(50 * time.Millisecond)
				underWay.Add(-1)
				done(throttle.Failed)
			})
		}
		guessers.Wait()
		if guesses.Load() != 3 || most.Load() > 3 {
			t.Errorf("%d guesses went through, %d at once; want 3", guesses.Load(), most.Load())
		}
		time.Sleep(time.Second) // the delay is over: one guess, and none beside it
		done, err := th.Allow(t.Context(), "jeff", "a", account.ClientListener)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if wait := try(t, th, "jeff", "a", throttle.Failed); wait == 0 || time.Since(began) != 5*time.Second {
			t.Errorf("beside a guess under way another was told to wait %v, after %v", wait, time.Since(began))
		}
		done(throttle.Undecided)
		wantFree(t, th, 1, "jeff", "a")
	})
}

// Scripts that log in side by side with the right password get in, as many as can
// be hashed within patience, though more come.
func TestAllow_RightLoginsAtOnce(t *testing.T) {
	for _, c := range []struct {
		l                         account.Listener
		processors, scripts, want int
	}{
		{account.ManagementListener, 1, 200, 200},
		{account.ManagementListener, 2, 400, 400},
		{account.ClientListener, 1, 200, 200},
		{account.ClientListener, 2, 400, 400},
		{account.ClientListener, 2, 1000, 490},
	} {
		synctest.Test(t, func(t *testing.T) {
			th := throttle.New(throttle.Options{Processors: c.processors})
			hashing := make(chan struct{}, c.processors)
			var scripts sync.WaitGroup
			var in atomic.Int64
			for range c.scripts {
				scripts.Go(func() {
					done, err := th.Allow(t.Context(), "admin", "uid:0", c.l)
					if err != nil {
						return
					}
					hashing <- struct{}{}
					time.Sleep(hash)
					<-hashing
					done(throttle.Succeeded)
					in.Add(1)
				})
			}
			scripts.Wait()
			if in.Load() < int64(c.want) {
				t.Errorf("%s, %d processors: %d of %d got in, want %d", c.l, c.processors, in.Load(), c.scripts, c.want)
			}
			if pairs, sources := th.Held(), th.Sources(); pairs != 0 || sources != 0 {
				t.Errorf("%d pairs and %d sources are remembered for nothing", pairs, sources)
			}
		})
	}
}

// Many may share an address: whoever tries many names from it slows nobody
// down there.
func TestAllow_OneSourceManyNames(t *testing.T) {
	th, _ := fresh(0)
	for i := range 1000 {
		wantFree(t, th, 3, fmt.Sprint("name", i), "10.0.0.1")
	}
	if wait := try(t, th, "another", "10.0.0.1", throttle.Succeeded); wait != 0 {
		t.Errorf("another name from there waits %v", wait)
	}
}

func TestAllow_Addresses(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
		{"10.0.0.1", "::ffff:10.0.0.1", true},
		{"10.0.0.1", "10.0.0.2", false},
		{"uid:1", "uid:11", false},
	} {
		th, _ := fresh(0)
		wantFree(t, th, 3, "jeff", c.a)
		if same := try(t, th, "jeff", c.b, throttle.Failed) > 0; same != c.same {
			t.Errorf("%s and %s count as one source: %v, want %v", c.a, c.b, same, c.same)
		}
	}
}

func TestBounded_LongestQuietGoesFirst(t *testing.T) {
	th, c := fresh(50)
	wantFree(t, th, 3, "first", "a")
	c.advance(time.Second)
	wantFree(t, th, 1, "first", "a")
	for i := range 49 {
		c.advance(time.Millisecond)
		wantFree(t, th, 3, fmt.Sprint("name", i), fmt.Sprint("s", i))
	}
	if wait := try(t, th, "first", "a", throttle.Failed); wait == 0 {
		t.Error("a failure was forgotten while there was room")
	}
	wantFree(t, th, 1, "one too many", "elsewhere")
	wantFree(t, th, 3, "first", "a") // was the longest quiet
	if wait := try(t, th, "name48", "s48", throttle.Failed); wait == 0 {
		t.Error("a fresh failure was forgotten instead of the oldest")
	}
	if pairs := th.Held(); pairs != 50 {
		t.Errorf("%d pairs are remembered, want 50", pairs)
	}
}

func TestBounded_UnderWayStays(t *testing.T) {
	th, _ := fresh(2)
	var dones []func(throttle.Outcome)
	for _, name := range []string{"a", "b"} {
		done, err := th.Allow(t.Context(), name, name, account.ClientListener)
		if err != nil {
			t.Fatal(err)
		}
		dones = append(dones, done)
	}
	if wait := try(t, th, "c", "c", throttle.Failed); wait == 0 {
		t.Error("an attempt under way was forgotten")
	}
	for _, done := range dones {
		done(throttle.Failed)
	}
	wantFree(t, th, 3, "c", "c")
	if pairs := th.Held(); pairs != 2 {
		t.Errorf("%d pairs are remembered, want 2", pairs)
	}
}

// What a flood left is forgotten as others come, without a sweep.
func TestBounded_FloodIsForgotten(t *testing.T) {
	th, c := fresh(0)
	for i := range 2000 {
		wantFree(t, th, 1, fmt.Sprint("name", i), fmt.Sprint("source", i))
	}
	c.advance(15 * time.Minute)
	for range 1000 {
		try(t, th, "jeff", "a", throttle.Succeeded)
	}
	if pairs := th.Held(); pairs != 0 {
		t.Errorf("%d pairs are still remembered", pairs)
	}
}

func TestBounded_AtOnce(t *testing.T) {
	th, c := fresh(50)
	var workers sync.WaitGroup
	for g := range 8 {
		workers.Go(func() {
			for i := range 2000 {
				name := fmt.Sprint(g, "/", i%97)
				if done, err := th.Allow(t.Context(), name, fmt.Sprint(g%3), account.ClientListener); err == nil {
					done(throttle.Outcome(i % 3))
				}
				c.advance(time.Millisecond)
			}
		})
	}
	workers.Wait()
	if pairs := th.Held(); pairs > 50 {
		t.Errorf("%d pairs are remembered", pairs)
	}
	c.advance(15 * time.Minute)
	for range 100 {
		try(t, th, "jeff", "elsewhere", throttle.Succeeded)
	}
	if pairs := th.Held(); pairs != 0 {
		t.Errorf("%d pairs are left in the end", pairs)
	}
}

func TestAllow_NeverPrinted(t *testing.T) {
	th, _ := fresh(0)
	wantFree(t, th, 3, "hunter2", "10.9.8.7")
	_, err := th.Allow(t.Context(), "hunter2", "10.9.8.7", account.ClientListener)
	for _, shown := range []string{fmt.Sprintf("%+v", th), err.Error()} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "10.9.8.7") {
			t.Errorf("a submitted name shows in %s", shown)
		}
	}
}

// BenchmarkAllow is flat: a full table costs what an empty one does.
func BenchmarkAllow(b *testing.B) {
	for _, n := range []int{0, throttle.DefaultEntries} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			th := throttle.New(throttle.Options{})
			for i := range n {
				try(b, th, fmt.Sprint("name", i), fmt.Sprint("source", i), throttle.Failed)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				try(b, th, fmt.Sprint("other", i), fmt.Sprint("elsewhere", i), throttle.Failed)
			}
		})
	}
}
