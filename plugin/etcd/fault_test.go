package etcd_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
)

// fault harms a cluster of three under load, sees that what should go on goes
// on, and mends it.
type fault func(t *testing.T, s *scene)

// scene is a cluster, two hosts' plugins over it that change accounts all the
// time, and the stream of one of them.
type scene struct {
	*etcdtest.Cluster
	load     *load
	follower *follower
	history  *history
}

// goesOn waits until changes are made and the stream is alive.
func (s *scene) goesOn(t *testing.T) {
	t.Helper()
	s.load.getsOn(t, 20)
	s.follower.getsOn(t, 3)
}

var faults = map[string]fault{
	"MemberKilled": func(t *testing.T, s *scene) {
		i := (s.Leader() + 1) % 3
		s.Kill(i)
		s.goesOn(t)
		s.Restart(i)
	},
	"LeaderKilled": func(t *testing.T, s *scene) {
		i := s.Leader()
		s.Kill(i)
		s.goesOn(t)
		s.Restart(i)
	},
	"LeaderStopped": func(t *testing.T, s *scene) {
		i := s.Leader()
		s.Stop(i)
		s.goesOn(t)
		s.Continue(i)
	},
	"LeaderIsolated": func(t *testing.T, s *scene) {
		i := s.Leader()
		s.Partition(i, etcdtest.Peers)
		s.goesOn(t)
		s.Heal(i, etcdtest.Peers)
	},
	"MemberGone": func(t *testing.T, s *scene) {
		i := rand.N(3)
		s.Partition(i, etcdtest.Clients|etcdtest.Peers)
		s.goesOn(t)
		s.Heal(i, etcdtest.Clients|etcdtest.Peers)
	},
	"ConnectionsCut": func(t *testing.T, s *scene) {
		for i := range 3 {
			s.Cut(i, etcdtest.Clients)
			time.Sleep(rand.N(20 * time.Millisecond))
			s.Heal(i, etcdtest.Clients)
		}
	},
	"MemberSlow": func(t *testing.T, s *scene) {
		i := rand.N(3)
		s.Delay(i, etcdtest.Clients|etcdtest.Peers, 30*time.Millisecond)
		s.goesOn(t)
		s.Heal(i, etcdtest.Clients|etcdtest.Peers)
	},
	"MajorityLost": func(t *testing.T, s *scene) {
		s.Kill(0)
		s.Kill(1)
		time.Sleep(time.Second) // the third cannot commit alone
		s.Restart(0, 1)
	},
	"AllRestarted": func(t *testing.T, s *scene) { s.RestartAll() },
	"Compacted": func(t *testing.T, s *scene) {
		s.history.read()
		s.Compact(s.history.reached)
	},
}

// TestFaults harms a cluster in one way after another: nothing that was
// acknowledged is lost or done twice, nothing that was refused happens,
// everything is in one order, and there is always an enabled ADMIN. It goes on
// for as long as CONCOURSE_FAULT says.
func TestFaults(t *testing.T) {
	t.Parallel()
	var lasts time.Duration
	if given := os.Getenv("CONCOURSE_FAULT"); given != "" {
		var err error
		if lasts, err = time.ParseDuration(given); err != nil {
			t.Fatalf("CONCOURSE_FAULT: %v", err)
		}
	}
	s := newScene(t)
	for end := time.Now().Add(lasts); ; {
		for name, harm := range faults { // in another order each time
			if !t.Run(name, func(t *testing.T) {
				harm(t, s)
				s.goesOn(t)
				s.history.read()
			}) {
				return // nothing is mended any more
			}
		}
		if !time.Now().Before(end) {
			break
		}
	}
	s.finish(t)
}

func newScene(t *testing.T) *scene {
	t.Helper()
	c := etcdtest.Start(t, 3)
	endpoints := c.Endpoints()
	a, b := newNode(t, "a", endpoints...), newNode(t, "b", endpoints...)
	s := &scene{Cluster: c, load: startLoad(t, a, b), history: newHistory(t, endpoints)}
	t.Cleanup(s.load.stop)
	s.follower = follow(t, b, s.load)
	s.goesOn(t)
	return s
}

// finish sees that everything goes on when all is well again, and holds what
// everybody was told against what there is.
func (s *scene) finish(t *testing.T) {
	t.Helper()
	s.goesOn(t)
	s.load.stop()
	s.follower.getsOn(t, 2)
	s.follower.stop()
	s.history.check(s.load)
	if f := s.follower; !t.Failed() {
		t.Logf("%d heartbeats over %d streams", f.beats.Load(), f.streams.Load())
	}
}
