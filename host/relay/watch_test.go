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

// An upstream that hangs keeps no connection for accounts whose sessions are over.
func TestSessionEnded_Hangs(t *testing.T) {
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections = 8 })
	bob := w.login("bob", "default:READ")
	bob.do("ping", read)
	ann, joe := w.login("ann", "default:WRITE"), w.login("joe", "default:WRITE")
	in := call{environment: "default", transaction: joe.stage("default")}
	ann.do("ping", read)
	done, released := make(chan struct{}), make(chan struct{})
	w.server.Always("selectKeyRecord", upstream.Hang)
	w.server.Next("commit", upstream.Late(done, released))
	cut, committed := make(chan error, 7), make(chan error, 1)
	for range cap(cut) {
		ann.goCall(cut, "selectKeyRecord", read)
	}
	joe.goCall(committed, "commit", in)
	<-done
	hosttest.Await(t, "all hang", func() bool { return w.Figures().InUse == cap(cut)+1 })

	at := time.Now()
	w.table.Revoke("ann")
	w.table.Revoke("joe")
	for range cap(cut) {
		if err := <-cut; err != relay.ErrUnknown {
			t.Errorf("a call of a session that ended = %v, want ErrUnknown", err)
		}
	}
	if took := time.Since(at); took < 5*time.Second || took > 30*time.Second {
		t.Errorf("they were cut after %v, want 5 s", took)
	}
	bob.do("ping", read)
	// A commit that goes on is told of.
	select {
	case err := <-committed:
		t.Errorf("commit = %v, before it was answered", err)
	default:
	}
	close(released)
	if err := <-committed; err != nil {
		t.Errorf("commit = %v", err)
	}
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
