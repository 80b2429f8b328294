package throttle_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

// hash is how long the tests' backend takes for an attempt.
const hash = 20 * time.Millisecond

// attempt waits for its place, hashes, and returns how long the wait was.
func attempt(t *testing.T, th *throttle.Throttle, name, source string, l account.Listener, o throttle.Outcome) (waited time.Duration, err error) {
	began := time.Now()
	done, err := th.Allow(t.Context(), name, source, l)
	waited = time.Since(began)
	if err == nil {
		time.Sleep(hash)
		done(o)
	}
	return waited, err
}

// flood makes attempts from a source, so many at once, until the test ends it;
// each submits another name.
func flood(t *testing.T, th *throttle.Throttle, source string, l account.Listener, atOnce int) (end func() (failed int64)) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var n, failed atomic.Int64
	for range atOnce {
		all.Go(func() {
			for ctx.Err() == nil {
				if _, err := attempt(t, th, fmt.Sprint("name", n.Add(1)), source, l, throttle.Failed); err == nil {
					failed.Add(1)
				}
			}
		})
	}
	return func() int64 {
		cancel()
		all.Wait()
		return failed.Load()
	}
}

// However many attempts a source makes at once, another waits for its turn only.
func TestLine_SourcesTakeTurns(t *testing.T) {
	for _, l := range []account.Listener{account.ManagementListener, account.ClientListener} {
		synctest.Test(t, func(t *testing.T) {
			th := throttle.New(throttle.Options{Processors: 2})
			var ends []func() int64
			for i := range 5 {
				ends = append(ends, flood(t, th, fmt.Sprint("flood", i), l, 1000))
			}
			time.Sleep(time.Second)
			for range 3 { // which fail, so that the source stays a stranger
				waited, err := attempt(t, th, "ann", "hers", l, throttle.Failed)
				if err != nil || waited > 6*hash {
					t.Errorf("%s: beside five floods another source waited %v (%v)", l, waited, err)
				}
			}
			for _, end := range ends {
				end()
			}
		})
	}
}

// A source whose last attempt succeeded finds a place at once, however many
// strangers flood.
func TestLine_GoodStandingGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttle.New(throttle.Options{Processors: 2})
		if _, err := attempt(t, th, "admin", "own", account.ManagementListener, throttle.Succeeded); err != nil {
			t.Fatal(err)
		}
		var ends []func() int64
		for i := range 20 {
			ends = append(ends, flood(t, th, fmt.Sprint("flood", i), account.ManagementListener, 32))
		}
		time.Sleep(time.Second)
		for range 10 {
			if waited, err := attempt(t, th, "admin", "own", account.ManagementListener, throttle.Succeeded); err != nil || waited > 0 {
				t.Errorf("it waited %v (%v)", waited, err)
			}
		}
		if _, err := attempt(t, th, "amdin", "own", account.ManagementListener, throttle.Failed); err != nil {
			t.Error(err)
		}
		if waited, err := attempt(t, th, "admin", "own", account.ManagementListener, throttle.Failed); err != nil || waited == 0 {
			t.Errorf("after a failure it waited %v (%v), and is no longer in good standing", waited, err)
		}
		for _, end := range ends {
			end()
		}
	})
}

// Sources in good standing go first, not alone: however many there are, a
// stranger's turn comes too.
func TestLine_GoodStandingLeavesAPlace(t *testing.T) {
	for _, l := range []account.Listener{account.ManagementListener, account.ClientListener} {
		synctest.Test(t, func(t *testing.T) {
			th := throttle.New(throttle.Options{Processors: 2})
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					for ctx.Err() == nil {
						attempt(t, th, fmt.Sprint("name", i), fmt.Sprint("known", i%20), l, throttle.Succeeded)
					}
				})
			}
			time.Sleep(time.Second)
			for i := range 5 {
				if waited, err := attempt(t, th, "ann", fmt.Sprint("new", i), l, throttle.Failed); err != nil || waited > 2*hash {
					t.Errorf("%s: beside 20 sources in good standing a stranger waited %v (%v)", l, waited, err)
				}
			}
			cancel()
			all.Wait()
		})
	}
}

// Managers' attempts that hang lend their places, so many of them, and no place
// is given twice when they end.
func TestLine_WhoTakesLongLends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttle.New(throttle.Options{Processors: 2})
		for range 100 { // end in the moment in which they are to lend
			done, err := th.Allow(t.Context(), "ann", "a", account.ManagementListener)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			done(throttle.Undecided)
		}
		for range 2 {
			var dones []func(throttle.Outcome)
			for i := range 17 {
				began := time.Now()
				done, err := th.Allow(t.Context(), "ann", fmt.Sprint("stranger", i), account.ManagementListener)
				if want := time.Duration(min(i, 1)) * time.Second; err != nil || time.Since(began) != want {
					t.Fatalf("beside %d that hang the next waited %v, want %v (%v)", i, time.Since(began), want, err)
				}
				dones = append(dones, done)
			}
			if waited, err := attempt(t, th, "ann", "one too many", account.ManagementListener, throttle.Failed); err == nil {
				t.Errorf("beside 17 that hang another went ahead after %v", waited)
			}
			for _, done := range dones {
				done(throttle.Undecided)
			}
		}
	})
}

// Strangers alone use what they may, and a source in good standing all.
func TestLine_PlacesAreUsed(t *testing.T) {
	for _, c := range []struct {
		l                account.Listener
		first            throttle.Outcome
		processors, want int
	}{
		{account.ManagementListener, throttle.Failed, 4, 3},
		{account.ManagementListener, throttle.Failed, 1, 1},
		{account.ManagementListener, throttle.Succeeded, 4, 5},
		{account.ClientListener, throttle.Failed, 4, 16},
		{account.ClientListener, throttle.Succeeded, 4, 32},
	} {
		synctest.Test(t, func(t *testing.T) {
			th := throttle.New(throttle.Options{Processors: c.processors})
			if _, err := attempt(t, th, "ann", "a", c.l, c.first); err != nil {
				t.Fatal(err)
			}
			var underWay, most atomic.Int64
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					done, err := th.Allow(t.Context(), fmt.Sprint("name", i), "a", c.l)
					if err != nil {
						t.Error(err)
						return
					}
					most.Store(max(most.Load(), underWay.Add(1)))
					time.Sleep(hash)
					underWay.Add(-1)
					done(throttle.Undecided)
				})
			}
			all.Wait()
			if most.Load() != int64(c.want) {
				t.Errorf("%s, %d processors: %d were under way at once, want %d", c.l, c.processors, most.Load(), c.want)
			}
		})
	}
}

// A flood's refusals come slowly, whatever they are for; a few come at once.
func TestLine_FloodHearsLate(t *testing.T) {
	for underWay, late := range map[int]bool{15: false, 16: true} {
		synctest.Test(t, func(t *testing.T) {
			th := throttle.New(throttle.Options{})
			wantFree(t, th, 3, "admin", "a")
			for i := range underWay {
				done, err := th.Allow(t.Context(), fmt.Sprint("name", i), "a", account.ClientListener)
				if err != nil {
					t.Fatal(err)
				}
				defer done(throttle.Undecided)
			}
			waited, err := attempt(t, th, "admin", "a", account.ClientListener, throttle.Failed)
			if retryAfter(t, err) != time.Second || (waited >= 2500*time.Millisecond) != late || waited > 5*time.Second {
				t.Errorf("beside %d others it was refused after %v", underWay, waited)
			}
		})
	}
}

// Who only waits to hear of a refusal keeps nobody of the same source out of line.
func TestLine_RefusedAreNotInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttle.New(throttle.Options{Processors: 1})
		wantFree(t, th, 3, "admin", "a")
		for i := range 15 { // of 16 places
			done, err := th.Allow(t.Context(), fmt.Sprint("name", i/3), "a", account.ClientListener)
			if err != nil {
				t.Fatal(err)
			}
			defer done(throttle.Undecided)
		}
		var all sync.WaitGroup
		all.Go(func() { attempt(t, th, "name0", "a", account.ClientListener, throttle.Failed) }) // waits for its name
		synctest.Wait()
		for range 1000 {
			all.Go(func() { attempt(t, th, "admin", "a", account.ClientListener, throttle.Failed) })
		}
		time.Sleep(time.Second / 2)
		if waited, err := attempt(t, th, "ann", "a", account.ClientListener, throttle.Succeeded); err != nil || waited > 0 {
			t.Errorf("beside 1000 that were refused another waited %v (%v)", waited, err)
		}
		all.Wait()
	})
}

// No refusal takes longer than patience, one that comes after a wait neither.
func TestLine_RefusedWithinPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttle.New(throttle.Options{})
		for range 3 {
			done, err := th.Allow(t.Context(), "admin", "a", account.ClientListener)
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(4900*time.Millisecond, func() { done(throttle.Failed) })
		}
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				if waited, err := attempt(t, th, "admin", "a", account.ClientListener, throttle.Failed); err == nil || waited > 5*time.Second {
					t.Errorf("refused after %v (%v)", waited, err)
				}
			})
		}
		all.Wait()
	})
}

// Only so many attempts of a source stand in line; the others are refused.
func TestLine_CrowdIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttle.New(throttle.Options{Processors: 2})
		var all sync.WaitGroup
		var served atomic.Int64
		for i := range 1000 {
			all.Go(func() {
				done, err := th.Allow(t.Context(), fmt.Sprint("name", i), "a", account.ClientListener)
				if err != nil {
					retryAfter(t, err)
					return
				}
				served.Add(1)
				time.Sleep(10 * time.Second)
				done(throttle.Failed)
			})
		}
		synctest.Wait()
		if pairs := th.Held(); pairs != 512 {
			t.Errorf("%d attempts are remembered, want 512", pairs)
		}
		all.Wait()
		if served.Load() != 16 {
			t.Errorf("%d were let through, want the 16 for which there was a place", served.Load())
		}
	})
}

// Whoever gives up leaves nothing behind, and takes no place.
func TestLine_GivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttle.New(throttle.Options{Processors: 1})
		busy, err := th.Allow(t.Context(), "first", "a", account.ManagementListener)
		if err != nil {
			t.Fatal(err)
		}
		hurried, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		for _, source := range []string{"a", "b"} {
			if _, err := th.Allow(hurried, "second", source, account.ManagementListener); account.KindOf(err) != account.KindThrottled {
				t.Errorf("without a place: %v", err)
			}
		}
		busy(throttle.Undecided)
		if waited, err := attempt(t, th, "second", "b", account.ManagementListener, throttle.Undecided); err != nil || waited > 0 {
			t.Errorf("after the others gave up it waited %v (%v)", waited, err)
		}
		if pairs, sources := th.Held(), th.Sources(); pairs != 0 || sources != 0 {
			t.Errorf("%d pairs and %d sources are left", pairs, sources)
		}
	})
}

// Called in the moment in which patience ends, an attempt goes ahead or gives its
// place back: none is lost.
func TestLine_NoPlaceIsLost(t *testing.T) {
	th := throttle.New(throttle.Options{Processors: 2})
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for i := range 500 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*20*time.Microsecond)
				if done, err := th.Allow(ctx, fmt.Sprint(worker), fmt.Sprint(worker%3), account.ManagementListener); err == nil {
					time.Sleep(10 * time.Microsecond)
					done(throttle.Outcome(1 + i%2))
				}
				cancel()
			}
		})
	}
	all.Wait()
	if pairs, sources := th.Held(), th.Sources(); pairs != 0 || sources != 0 {
		t.Errorf("%d pairs and %d sources are left", pairs, sources)
	}
	for i := range 2 { // both places are free
		done, err := th.Allow(t.Context(), "ann", fmt.Sprint(i%3), account.ManagementListener)
		if err != nil {
			t.Fatal(err)
		}
		defer done(throttle.Undecided)
	}
}

func TestStanding_Bounded(t *testing.T) {
	th, _ := fresh(10)
	for i := range 100 {
		try(t, th, "ann", fmt.Sprint("source", i), throttle.Succeeded)
	}
	for i := range 100 {
		try(t, th, "ann", fmt.Sprint("stranger", i), throttle.Failed)
	}
	if n := th.Known(); n != 10 {
		t.Errorf("%d sources are in good standing, want the latest 10", n)
	}
}
