package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestLease(t *testing.T) {
	table, c := newTable(t, session.Options{Lease: 10 * time.Second})
	token, _ := login(t, table, at("ann", 1, 1), session.Details{})
	read := c.now()
	c.advance(9 * time.Second)
	wantGood(t, table, token)

	table.Heartbeat("store", 0, read.Add(4*time.Second)) // to 14 s
	table.Heartbeat("store", 0, read.Add(2*time.Second)) // late, and takes nothing back
	c.advance(5*time.Second - 1)
	wantGood(t, table, token)
	c.advance(1)
	if _, err := table.Check(token); err != session.ErrPastLease {
		t.Errorf("Check past the lease = %v", err)
	}
	wantEnded(t, table, session.Token{})

	l := table.Begin("ann")
	defer l.Abandon()
	if _, _, err := l.Complete(at("ann", 1, 1), session.Details{}); err != session.ErrPastLease {
		t.Errorf("Complete past the lease = %v", err)
	}
	table.Heartbeat("store", 0, c.now())
	wantGood(t, table, token)
	second, _, err := l.Complete(at("ann", 1, 1), session.Details{})
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, table, second)
}

func TestLease_BeforeTheFirstHeartbeat(t *testing.T) {
	table := session.New(session.Options{})
	l := table.Begin("ann")
	defer l.Abandon()
	_, _, err := l.Complete(at("ann", 1, 1), session.Details{})
	if account.KindOf(err) != account.KindUnavailable || account.ReasonOf(err) != account.ReasonPastLease {
		t.Errorf("Complete = %v, want unavailable, PAST_LEASE", err)
	}
}

// A machine that slept, or a clock that was set, makes the two clocks of a time
// differ. What either of them rules out is not good.
func TestLease_EitherClock(t *testing.T) {
	now := time.Now()
	table := session.New(session.Options{Lease: 10 * time.Second, Now: func() time.Time { return now }})
	start := now
	table.Heartbeat("store", 0, start)
	token, _ := login(t, table, at("ann", 1, 1), session.Details{})

	for _, c := range []struct {
		monotonic, wall time.Duration
		good            bool
	}{
		{9 * time.Second, 9 * time.Second, true},
		{time.Second, time.Hour, false},       // it slept
		{11 * time.Second, -time.Hour, false}, // it was set back
		{9 * time.Second, -time.Hour, true},
		{11 * time.Second, 11 * time.Second, false},
	} {
		now = start.Add(c.monotonic)
		setWall(&now, c.wall-c.monotonic)
		if _, err := table.Check(token); (err == nil) != c.good || err != nil && err != session.ErrPastLease {
			t.Errorf("%v later, by the wall clock %v, Check = %v", c.monotonic, c.wall, err)
		}
	}
}

// setWall moves only the wall clock of a time, by whole seconds, as the system
// can and package time cannot: they are counted from the 30th bit on.
func setWall(t *time.Time, by time.Duration) {
	want := t.Round(0).Add(by)
	*(*uint64)(unsafe.Pointer(t)) += uint64(int64(by/time.Second) << 30)
	if !t.Round(0).Equal(want) {
		panic("package time keeps its times in another way")
	}
}

func TestAwaitLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := session.New(session.Options{Lease: 10 * time.Second})
		waits := make(chan error, 3)
		for range cap(waits) {
			go func() { waits <- table.AwaitLease(t.Context()) }()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		table.Heartbeat("store", 0, time.Now().Add(-11*time.Second)) // already over
		synctest.Wait()
		if len(waits) != 0 {
			t.Error("a wait ended without a lease")
		}
		table.Heartbeat("store", 0, time.Now())
		for range cap(waits) {
			if err := <-waits; err != nil {
				t.Error(err)
			}
		}
		if err := table.AwaitLease(t.Context()); err != nil {
			t.Errorf("AwaitLease within the lease = %v", err)
		}

		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := table.AwaitLease(ctx); !errors.Is(err, session.ErrPastLease) || ctx.Err() == nil {
			t.Errorf("AwaitLease with nothing to come = %v", err)
		}
	})
}
