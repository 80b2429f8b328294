package relay_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
)

// stuck is a client that takes nothing until it is told to, or its write's
// deadline comes.
type stuck struct {
	begun, goOn, late   chan struct{}
	beginOnce, lateOnce sync.Once
}

func newStuck() *stuck {
	return &stuck{begun: make(chan struct{}), goOn: make(chan struct{}), late: make(chan struct{})}
}

func (s *stuck) Write(p []byte) (int, error) {
	s.beginOnce.Do(func() { close(s.begun) })
	select {
	case <-s.goOn:
		return len(p), nil
	case <-s.late:
		return 0, os.ErrDeadlineExceeded
	}
}

func (s *stuck) SetWriteDeadline(time.Time) error {
	s.lateOnce.Do(func() { close(s.late) })
	return nil
}

// A client does not hold a connection beyond its session by reading slowly, or
// not at all; one whose session lives may.
func TestSessionEnded_SlowReader(t *testing.T) {
	w := newWorld(t)
	slow, none, live := w.login("ann", "default:READ"), w.login("ann", "default:READ"), w.login("ann", "default:READ")
	w.server.Next("getServerEnvironment", upstream.Huge(1<<30), upstream.Huge(1<<30), upstream.Huge(1<<20))
	cut, whole := make(chan error, 2), make(chan error, 1)
	began := make(chan struct{})
	var once sync.Once
	slow.goCall(cut, "getServerEnvironment", call{environment: "default", reply: &counter{each: func(int) {
		once.Do(func() { close(began) })
		time.Sleep(50 * time.Millisecond)
	}}})
	takesNone, takesLater := newStuck(), newStuck()
	<-began
	none.goCall(cut, "getServerEnvironment", call{environment: "default", reply: takesNone})
	<-takesNone.begun
	live.goCall(whole, "getServerEnvironment", call{environment: "default", reply: takesLater})
	<-takesLater.begun

	at := time.Now()
	w.table.End(slow.ID(), session.Revoked)
	w.table.End(none.ID(), session.Revoked)
	for range cap(cut) {
		if err := <-cut; err != relay.ErrCut {
			t.Errorf("a call of a session that ended = %v, want ErrCut", err)
		}
	}
	if took := time.Since(at); took < 5*time.Second || took > 30*time.Second {
		t.Errorf("they were cut after %v, want 5 s", took)
	}
	hosttest.Await(t, "their connections are free", func() bool { return w.Figures().InUse == 1 })
	close(takesLater.goOn)
	if err := <-whole; err != nil {
		t.Errorf("the call of a session that lives = %v", err)
	}
}
