package soak_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/clients"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestSoakRestart measures how long all clients take to log in again after the
// host was killed, against what the hashes alone take. Clients who are told to
// come back do, and all get in.
func TestSoakRestart(t *testing.T) {
	beside(t)
	n := 100
	if os.Getenv("CONCOURSE_SOAK") != "" {
		n = min(10_000, int(hosttest.Span(t, "CONCOURSE_SOAK", 0)/4/(15*time.Millisecond)))
	}
	h := hosttest.StartWithClients(t)
	names := users(t, h, 10)
	h.Kill()
	before := hashesPerSecond(t, time.Second/2)
	h.Start()
	if _, err := h.Clients().Login(hosttest.Address(0), names[0], hosttest.Password); err != nil {
		t.Fatal(err)
	}
	took, attempts := logInAgain(t, h, n, names)
	after := hashesPerSecond(t, time.Second/2)
	floor := time.Duration(float64(n) / ((before + after) / 2) * float64(time.Second))
	ratio := took.Seconds() / floor.Seconds()
	t.Logf("%d clients are in again after %v: %.1f a second; the hashes alone take %v (%.1f a second): %.2f times that; attempts each: median %d, p99 %d, at most %d",
		n, took.Round(time.Millisecond), float64(n)/took.Seconds(), floor.Round(time.Millisecond), (before+after)/2, ratio,
		attempts[n/2], attempts[n*99/100], attempts[n-1])
	if n >= 1000 && ratio > 1.5 {
		t.Errorf("that is more than 1.5 times the hashes")
	}
	if took > 5*floor+10*time.Second {
		t.Errorf("that is no time for %d hashes", n)
	}
}

// users makes accounts, and returns their names.
func users(t *testing.T, h *hosttest.Host, n int) (names []string) {
	t.Helper()
	admin := h.Admin()
	for i := range n {
		names = append(names, fmt.Sprint("user", i))
		r := account.Create{Username: names[i], Password: account.Secret(hosttest.Password), Role: account.User}
		if _, err := admin.Create(t.Context(), account.RequestID{}, r); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// logInAgain logs all clients in at once, a half of them from four addresses,
// as programs do that hold many connections, and returns when all are in. Who is
// told to wait waits so long, and up to as long again, as a program should. The
// numbers of attempts come sorted.
func logInAgain(t *testing.T, h *hosttest.Host, n int, names []string) (took time.Duration, attempts []int) {
	t.Helper()
	attempts = make([]int, n)
	var connections [8]*clients.Client
	for i := range connections {
		connections[i] = h.Clients()
	}
	try := func(i int) error {
		address := hosttest.Address(i)
		if i%2 == 0 {
			address = hosttest.Address(1<<20 + i%8/2)
		}
		_, err := connections[i%len(connections)].Login(address, names[i%len(names)], hosttest.Password)
		return err
	}
	var in atomic.Int64
	var all sync.WaitGroup
	done := make(chan struct{})
	go func() {
		for tick := time.NewTicker(10 * time.Second); ; {
			select {
			case <-tick.C:
				t.Logf("%d of %d are in", in.Load(), n)
			case <-done:
				tick.Stop()
				return
			}
		}
	}()
	began := time.Now()
	for i := range n {
		all.Go(func() {
			for {
				attempts[i]++
				err := try(i)
				if err == nil {
					in.Add(1)
					return
				}
				e, ok := errors.AsType[*account.Error](err)
				if !ok || e.Kind != account.KindThrottled {
					t.Errorf("client %d: %v", i, err)
					return
				}
				time.Sleep(e.RetryAfter + time.Duration(rand.Int64N(int64(e.RetryAfter))))
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	close(done)
	slices.Sort(attempts)
	return took, attempts
}
