package supervisor_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

var nobody account.Caller

func newInvocation() account.Invocation {
	return account.Invocation{RequestID: account.NewRequestID(time.Now())}
}

func TestCall(t *testing.T) {
	t.Run("Crash", func(t *testing.T) {
		events := &recorder{}
		o := options(t)
		o.OnEvent = events.add
		s := start(t, o)
		before := s.Status().PID
		if a, err := s.Show(t.Context(), nobody, "crash-once"); err != nil || a.Username != "crash-once" {
			t.Errorf("Show: %+v, %v", a, err)
		}
		st := s.Status()
		if st.Restarts != 1 || st.PID == before || st.LastError != "it ended (exit status 7)" {
			t.Errorf("status %+v", st)
		}
		want := []supervisor.EventKind{supervisor.PluginStarted, supervisor.PluginExited, supervisor.PluginRestarted}
		eventually(t, "the restart is reported", func() bool { return cmp.Equal(want, events.all()) })
	})

	t.Run("CrashUnderAnApply", func(t *testing.T) {
		o := options(t)
		s := start(t, o)
		in := newInvocation()
		a, err := s.Apply(t.Context(), in, account.Desired{Username: "crash-once"})
		if err != nil || a.Account.Username != "crash-once" {
			t.Errorf("Apply: %+v, %v", a, err)
		}
		if got := lines(t, o, "applied"); !cmp.Equal(got, []string{in.RequestID.String(), in.RequestID.String()}) {
			t.Errorf("asked under %q, want %s twice", got, in.RequestID)
		}
	})

	t.Run("Stopped", func(t *testing.T) {
		o := options(t)
		o.Pace.HealthInterval, o.Pace.HealthTimeout = 50*time.Millisecond, 500*time.Millisecond
		s := start(t, o)
		before := s.Status().PID
		if _, err := s.Show(t.Context(), nobody, "stop"); err != nil {
			t.Error(err)
		}
		if st := s.Status(); st.Restarts != 1 || st.LastError != "it did not answer 3 health checks and was killed" || alive(before) {
			t.Errorf("status %+v, old process alive: %v", st, alive(before))
		}
	})

	t.Run("AlwaysCrashes", func(t *testing.T) {
		o := options(t)
		o.CallTimeout = time.Second
		s := start(t, o)
		_, err := s.Show(t.Context(), nobody, "crash")
		wantKind(t, err, account.KindUnavailable, "plugin backend")
		in := newInvocation()
		_, err = s.Create(t.Context(), in, account.Create{Username: "crash", Role: account.User})
		wantKind(t, err, account.KindOutcomeUnknown, in.RequestID.String())
		tries := lines(t, o, "created")
		if len(tries) < 4 {
			t.Errorf("tried once only: %q", tries)
		}
		for i := 1; i < len(tries); i += 2 {
			if tries[i] != in.RequestID.String() {
				t.Errorf("repeated with another request id: %q", tries)
			}
		}
	})

	t.Run("NoStore", func(t *testing.T) { // said as a transport would
		s := start(t, options(t))
		_, err := s.Show(t.Context(), nobody, "unavailable")
		wantKind(t, err, account.KindUnavailable, "plugin backend: no store today")
		in := newInvocation()
		_, err = s.Create(t.Context(), in, account.Create{Username: "unavailable", Role: account.User})
		wantKind(t, err, account.KindOutcomeUnknown, in.RequestID.String())
		if st := s.Status(); st.Restarts != 0 {
			t.Errorf("status %+v", st)
		}
	})

	t.Run("Internal", func(t *testing.T) {
		s := start(t, options(t))
		_, err := s.Show(t.Context(), nobody, "internal")
		wantKind(t, err, account.KindInternal, "plugin backend: internal error")
	})

	t.Run("CallerGivesUp", func(t *testing.T) {
		s := start(t, options(t))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := s.Show(ctx, nobody, "hang")
		wantKind(t, err, account.KindUnavailable, "")
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.Show(canceled, nobody, "jane")
		wantKind(t, err, account.KindInterrupted, "gave up")
	})

	t.Run("PluginStaysDown", func(t *testing.T) {
		o := options(t)
		o.CallTimeout = 500 * time.Millisecond
		o.Pace.RestartMin, o.Pace.RestartMax = time.Hour, time.Hour
		s := start(t, o)
		for restarts := range 2 { // the first at once, the second in an hour
			eventually(t, "it runs", func() bool { return s.Status().PID != 0 && s.Status().Restarts == restarts })
			signal(t, s.Status().PID, syscall.SIGKILL)
			eventually(t, "it is gone", func() bool { return s.Status().LastError != "" && (s.Status().PID == 0 || restarts == 0) })
		}
		_, err := s.Create(t.Context(), newInvocation(), account.Create{Username: "jane", Role: account.User})
		wantKind(t, err, account.KindUnavailable, "plugin backend is not running: it ended (signal: killed)")
		if st := s.Status(); st.State != supervisor.Restarting || st.PID != 0 {
			t.Errorf("status %+v", st)
		}
	})
}

func TestChildDiesWithThePlugin(t *testing.T) {
	o := options(t)
	s := start(t, o)
	if _, err := s.Show(t.Context(), nobody, "child"); err != nil {
		t.Fatal(err)
	}
	child := number(t, lines(t, o, "child")[0])
	signal(t, s.Status().PID, syscall.SIGKILL)
	eventually(t, "the plugin is back and its child gone", func() bool { return s.Status().Restarts == 1 && !alive(child) })
}

func TestInitialize_repeated(t *testing.T) {
	first := account.FirstAdministrator{Username: "admin", Password: account.Secret("right"), RequestID: account.NewRequestID(time.Now())}
	if i, err := start(t, options(t)).Initialize(t.Context(), first); err != nil || !i.Changed {
		t.Errorf("its own work under a crash: %+v, %v", i, err)
	}
}

// watch opens a stream.
func watch(t *testing.T, s *supervisor.Supervisor) (requests chan account.WatchRequest, beats chan uint64, ended chan error) {
	requests, beats, ended = make(chan account.WatchRequest), make(chan uint64), make(chan error, 1)
	go func() {
		ended <- s.Watch(t.Context(), requests, func(e account.WatchEvent) error { beats <- e.Heartbeat.Number; return nil })
	}()
	return requests, beats, ended
}

func TestWatch(t *testing.T) {
	s := start(t, options(t))
	for round, end := range []func(){
		func() { signal(t, s.Status().PID, syscall.SIGKILL) },
		func() {
			if err := s.Reload(t.Context(), nil); err != nil {
				t.Error(err)
			}
		},
	} {
		requests, beats, ended := watch(t, s)
		requests <- account.WatchRequest{Heartbeat: uint64(round) + 1}
		if n := <-beats; n != uint64(round)+1 {
			t.Errorf("heartbeat %d", n)
		}
		end()
		wantKind(t, <-ended, account.KindUnavailable, "plugin backend ended the watch stream")
		eventually(t, "the next plugin runs", func() bool { return s.Status().Restarts == 1 && s.Status().PID != 0 })
	}
	requests, _, ended := watch(t, s)
	close(requests)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
