package supervisor_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// calling makes calls all the time until the returned function is called, and
// fails the test if one fails.
func calling(t *testing.T, s *supervisor.Supervisor) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Exists(context.Background(), "anybody"); err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

func TestReload(t *testing.T) {
	t.Run("OK", func(t *testing.T) {
		events := &recorder{}
		o := options(t)
		o.Path, o.OnEvent = bolt, events.add
		s := start(t, o)
		before := s.Status()
		end := calling(t, s)
		err := s.Reload(t.Context(), func() (supervisor.Options, error) {
			n := o
			n.SHA256 = sum(t, bolt)
			return n, nil
		})
		end()
		if err != nil {
			t.Fatal(err)
		}
		after := s.Status()
		if alive(before.PID) || !alive(after.PID) || !after.Pinned || after.Restarts != 0 {
			t.Errorf("before %+v, after %+v", before, after)
		}
		copies, err := filepath.Glob(filepath.Join(o.RunDir, "x*"))
		if err != nil || len(copies) != 1 {
			t.Errorf("copies %q, %v", copies, err)
		}
		want := []supervisor.EventKind{supervisor.PluginStarted, supervisor.PluginReloaded}
		if diff := cmp.Diff(want, events.all()); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("CutsOffAHangingCall", func(t *testing.T) {
		o := options(t)
		o.Pace.Drain = 100 * time.Millisecond
		s := start(t, o)
		shown := make(chan error, 1)
		go func() {
			_, err := s.Show(t.Context(), nobody, "hang-once")
			shown <- err
		}()
		eventually(t, "the call is under way", func() bool { return noted(o, "shown") })
		if err := s.Reload(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if err := <-shown; err != nil {
			t.Error(err)
		}
		if tries := lines(t, o, "shown"); len(tries) != 2 {
			t.Errorf("tries %q", tries)
		}
	})

	for _, c := range []struct {
		name string
		set  func(*testing.T, *supervisor.Options)
		want string
		same bool // the old process is not even stopped
	}{
		{"PinMismatch", func(t *testing.T, o *supervisor.Options) { o.SHA256 = strings.Repeat("0", 64) }, "but it is pinned to", true},
		{"DoesNotComeUp", func(t *testing.T, o *supervisor.Options) { o.Path = script(t, "broken", "#!/bin/sh\nexit 1", 0o755) }, "cannot start plugin broken", true},
		{"CannotBeConfigured", func(t *testing.T, o *supervisor.Options) {
			o.Path, o.Configuration.Settings = linked(t, "changed"), map[string]string{"configure": "refuse"}
		}, "cannot start plugin changed", false},
		{"CrashesWhenConfigured", func(t *testing.T, o *supervisor.Options) {
			o.Configuration.Settings = map[string]string{"configure": "crash"}
		}, "the disk is on fire", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := &recorder{}
			o := options(t)
			o.OnEvent = events.add
			s := start(t, o)
			before := s.Status()
			end := calling(t, s)
			n := o
			c.set(t, &n)
			err := s.Reload(t.Context(), func() (supervisor.Options, error) { return n, nil })
			end()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			after := s.Status()
			if after.State != supervisor.Running || (after.PID == before.PID) != c.same || !strings.Contains(after.LastError, c.want) || after.Path != backend {
				t.Errorf("before %+v, after %+v", before, after)
			}
			want := []supervisor.EventKind{supervisor.PluginStarted, supervisor.PluginReloadFailed}
			if !c.same {
				want = append(want, supervisor.PluginRestarted)
			}
			if diff := cmp.Diff(want, events.all()); diff != "" {
				t.Error(diff)
			}
			if e := events.first(supervisor.PluginReloadFailed); e.Path != n.Path || e.SHA256 != sum(t, n.Path) || e.PID != 0 || e.Name != "" {
				t.Errorf("the event is not of %s: %+v", n.Path, e)
			}
			if e := events.first(supervisor.PluginRestarted); !c.same && (e.Path != backend || e.PID != after.PID) {
				t.Errorf("the event is not of the program before: %+v", e)
			}
		})
	}

	t.Run("WhileItIsDown", func(t *testing.T) {
		o := options(t)
		o.Pace.RestartMin, o.Pace.RestartMax = time.Hour, time.Hour
		s := start(t, o)
		for restarts := range 2 {
			eventually(t, "it runs", func() bool { return s.Status().PID != 0 && s.Status().Restarts == restarts })
			signal(t, s.Status().PID, syscall.SIGKILL)
			eventually(t, "it is gone", func() bool { return s.Status().LastError != "" && (s.Status().PID == 0 || restarts == 0) })
		}
		if err := s.Reload(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Show(t.Context(), nobody, "jane"); err != nil {
			t.Error(err)
		}
	})

	t.Run("OneAtATime", func(t *testing.T) {
		o := options(t)
		s := start(t, o)
		rereading, go1 := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- s.Reload(t.Context(), func() (supervisor.Options, error) {
				close(rereading)
				<-go1
				return o, nil
			})
		}()
		<-rereading
		wantKind(t, s.Reload(t.Context(), nil), account.KindConflict, "another reload")
		close(go1)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if err := s.Reload(t.Context(), nil); err != nil {
			t.Errorf("after the first: %v", err)
		}
	})
}

// TestReload_slow: from the moment that calls wait, every step of a reload has
// a share of their time.
func TestReload_slow(t *testing.T) {
	t.Parallel()
	t.Run("NothingWorks", func(t *testing.T) { // no call ends, nor the old process, nor does the new one come up
		t.Parallel()
		o := options(t)
		o.CallTimeout, o.Pace.HealthMisses = 6*time.Second, 100
		s := start(t, o)
		end := calling(t, s)
		signal(t, s.Status().PID, syscall.SIGSTOP)
		n := o
		n.Configuration.Settings = map[string]string{"configure": "hang"}
		wantKind(t, s.Reload(t.Context(), func() (supervisor.Options, error) { return n, nil }), account.KindUnavailable, "did not answer its configuration")
		end()
	})

	t.Run("WatchesEndLast", func(t *testing.T) { // rule 5
		t.Parallel()
		o := options(t)
		s := start(t, o)
		requests, beats, ended := watch(t, s)
		requests <- account.WatchRequest{Heartbeat: 1}
		<-beats
		reloaded, shown := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := s.Show(t.Context(), nobody, "sleeps-2500ms")
			shown <- err
		}()
		eventually(t, "the call is under way", func() bool { return noted(o, "shown") })
		go func() { reloaded <- s.Reload(t.Context(), nil) }()
		eventually(t, "it drains", func() bool { return s.Status().State == supervisor.Reloading })
		time.Sleep(100 * time.Millisecond) // for a watch that is cut to end
		select {
		case err := <-ended:
			t.Errorf("the watch ended under a drain: %v", err)
		case requests <- account.WatchRequest{Heartbeat: 2}:
			if n := <-beats; n != 2 {
				t.Errorf("heartbeat %d", n)
			}
			wantKind(t, <-ended, account.KindUnavailable, "plugin backend ended the watch stream")
		}
		for _, err := range []error{<-shown, <-reloaded} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}
