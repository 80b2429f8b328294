package fault_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// processFaults are what may become of host and plugin.
var processFaults = map[string]injector{
	"PluginKilled": func(t *testing.T, s *scene) {
		for range 4 {
			s.host.KillPlugin()
			s.getsOn(t, 5)
			s.sleep(pause) // anywhere in a change
		}
	},
	"PluginKilledAgain": func(t *testing.T, s *scene) {
		for range 3 { // each as soon as it is there
			s.replaced(t, s.host.KillPlugin())
		}
	},
	"HostKilled": func(t *testing.T, s *scene) {
		for range 2 {
			s.sleep(pause)
			s.host.Kill()
			s.host.Start()
			s.getsOn(t, 5)
		}
	},
	"BothKilled": func(_ *testing.T, s *scene) {
		s.host.KillPlugin()
		s.sleep(20 * time.Millisecond)
		s.host.Kill()
		s.host.Start()
	},
	"PluginStopped": func(t *testing.T, s *scene) { s.stop(t, lease/4+s.upTo(lease/2)) },
	"PluginStoppedPastLease": func(t *testing.T, s *scene) {
		s.stop(t, lease+leaseWait+time.Second/2)
	},
	"PluginHangs": func(t *testing.T, s *scene) { s.stop(t, time.Minute) }, // until the host ends it
	"HostStopped": func(_ *testing.T, s *scene) {
		s.host.Signal(syscall.SIGSTOP)
		s.sleep(2 * lease) // past the lease, or not
		s.host.Signal(syscall.SIGCONT)
	},
	"HostRestarted": func(_ *testing.T, s *scene) {
		s.host.Stop()
		s.host.Start()
	},
	"PluginReloaded": func(t *testing.T, s *scene) {
		pid := s.host.PluginPID()
		// It waits for no longer than the call timeout, and goes on all the same.
		if out, err := s.host.Command("plugin", "reload").CombinedOutput(); err != nil && !strings.Contains(string(out), "goes on") {
			t.Fatalf("plugin reload: %v\n%s", err, out)
		}
		s.replaced(t, pid)
	},
}

// TestFaultProcesses kills, stops, continues and restarts host and plugin under
// load: the twelve rules hold.
func TestFaultProcesses(t *testing.T) {
	t.Parallel()
	harmAll(t, sceneOptions{}, hosttest.Span(t, "CONCOURSE_FAULT", 8*time.Second), processFaults)
}

// replaced waits until another process is the plugin.
func (s *scene) replaced(t *testing.T, pid int) {
	t.Helper()
	hosttest.Await(t, "another plugin runs", func() bool { return s.host.PluginPID() != pid })
}

// upTo draws a time.
func (s *scene) upTo(most time.Duration) time.Duration {
	return time.Duration(s.draw.Int64N(int64(most)))
}

func (s *scene) sleep(most time.Duration) { time.Sleep(s.upTo(most)) }
