package supervisor_test

import (
	"context"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestStop(t *testing.T) {
	t.Run("LeavesNothing", func(t *testing.T) {
		before := runtime.NumGoroutine()
		o := options(t)
		s, err := supervisor.Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Reload(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if _, err := s.Show(t.Context(), nobody, "crash-once"); err != nil {
			t.Error(err)
		}
		stop(t, s, o)
		stop(t, s, o) // again, at no cost
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	})

	t.Run("FinishesCalls", func(t *testing.T) {
		o := options(t)
		s := start(t, o)
		shown := make(chan error, 1)
		go func() {
			_, err := s.Show(t.Context(), nobody, "sleeps-400ms")
			shown <- err
		}()
		eventually(t, "the call is under way", func() bool { return noted(o, "shown") })
		stop(t, s, o)
		if err := <-shown; err != nil {
			t.Error(err)
		}
	})

	t.Run("KillsAStoppedProcess", func(t *testing.T) {
		o := options(t)
		o.Pace.Shutdown = 200 * time.Millisecond
		s := start(t, o)
		pid := s.Status().PID
		signal(t, pid, syscall.SIGSTOP)
		stop(t, s, o)
		if alive(pid) {
			t.Error("it is alive")
		}
	})

	t.Run("KillsWhenTheCallerIsOutOfPatience", func(t *testing.T) {
		o := options(t)
		o.Pace.Drain, o.Pace.Shutdown = time.Hour, time.Hour
		s := start(t, o)
		created := make(chan error, 1)
		go func() {
			_, err := s.Create(t.Context(), newInvocation(), account.Create{Username: "hang", Role: account.User})
			created <- err
		}()
		eventually(t, "the call is under way", func() bool { return noted(o, "created") })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		wantKind(t, <-created, account.KindOutcomeUnknown, "")
	})
}
