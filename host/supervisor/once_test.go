package supervisor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestExactlyOnce kills the real backend again and again under concurrent
// changes: none that was acknowledged is lost, none takes effect twice (rules
// 1 and 2). Each change raises a generation by one, which counts them.
func TestExactlyOnce(t *testing.T) {
	const kills, workers = 16, 6
	o := options(t)
	o.Path, o.CallTimeout = bolt, time.Minute
	s := start(t, o)
	admin := account.FirstAdministrator{Username: "admin", Password: account.Secret("a first password"), RequestID: account.NewRequestID(time.Now())}
	if _, err := s.Initialize(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	login, err := s.Authenticate(t.Context(), account.Credentials{
		Username: admin.Username, Password: admin.Password, Listener: account.ManagementListener,
	})
	if err != nil {
		t.Fatal(err)
	}
	who := account.Caller{Username: "admin", AccountID: login.Account.ID, Generation: login.Account.Generation}

	over := make(chan struct{})
	var wg sync.WaitGroup
	var done atomic.Int64
	wanted := make([]account.Generation, workers)
	for i := range workers {
		wg.Go(func() {
			wanted[i] = changeUntil(t, s, who, fmt.Sprintf("user%d", i), &done, over)
		})
	}
	for range kills {
		enough := done.Load() + 1 + rand.Int64N(30)
		eventually(t, "a few changes are made", func() bool { return done.Load() >= enough || t.Failed() })
		time.Sleep(rand.N(2 * time.Millisecond))
		pid := s.Status().PID
		signal(t, pid, syscall.SIGKILL)
		eventually(t, "the next plugin runs", func() bool { now := s.Status().PID; return now != 0 && now != pid })
	}
	close(over)
	wg.Wait()

	changes := account.Generation(0)
	for i := range workers {
		a, err := s.Show(t.Context(), who, fmt.Sprintf("user%d", i))
		if err != nil || a.Generation != wanted[i] {
			t.Errorf("user%d has generation %d, want %d: %v", i, a.Generation, wanted[i], err)
		}
		changes += wanted[i]
	}
	if got := s.Status().Restarts; got < kills {
		t.Errorf("%d restarts after %d kills", got, kills)
	}
	t.Logf("%d changes under %d kills", changes, kills)
}

// changeUntil creates an account and suspends and enables it in turn until
// over is closed. It returns the generation that the account must have.
func changeUntil(t *testing.T, s *supervisor.Supervisor, who account.Caller, username string, done *atomic.Int64, over chan struct{}) account.Generation {
	invoke := func() account.Invocation {
		return account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: who, Host: "host"}
	}
	c, err := s.Create(t.Context(), invoke(), account.Create{Username: username, Password: account.Secret("some password"), Role: account.User})
	if err != nil {
		t.Errorf("create %s: %v", username, err)
		return 0
	}
	generation := c.Account.Generation
	for on := true; ; on = !on {
		select {
		case <-over:
			return generation
		default:
		}
		change := s.Enable
		if on {
			change = s.Suspend
		}
		c, err := change(t.Context(), invoke(), username)
		generation++
		done.Add(1)
		if err == nil && (!c.Changed || c.Account.Generation != generation) {
			err = errors.New("not carried out once")
		}
		if err != nil {
			t.Errorf("change %s: %+v, %v, want generation %d", username, c, err, generation)
			return generation
		}
	}
}
