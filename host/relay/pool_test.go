package relay_test

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// late is a client that takes its answer when it is told to.
type late struct {
	begun, goOn chan struct{}
	once        sync.Once
}

func newLate() *late { return &late{begun: make(chan struct{}), goOn: make(chan struct{})} }

func (l *late) Write(p []byte) (int, error) {
	l.once.Do(func() { close(l.begun) })
	<-l.goOn
	return len(p), nil
}

// A connection that is handed to a call that waits for it has been looked at as
// one that was idle: what came, or went, after its last answer, while the client
// took that, is nothing of the next call's.
func TestPool_HandedOver(t *testing.T) {
	yes, no := upstream.Result([]byte{2, 0, 0, 1, 0}), upstream.Result([]byte{2, 0, 0, 0, 0})
	for outcome, after := range map[string]func(c *upstream.Call, out io.Writer) error{
		"AnotherAnswer": yes,
		"Closed":        func(*upstream.Call, io.Writer) error { return io.EOF },
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = 1, time.Minute })
			ann, bob := w.login("ann", "default:READ"), w.login("bob", "default:READ")
			ann.do("ping", read)
			bob.do("ping", read)
			slow, done := newLate(), make(chan struct{})
			w.server.Next("ping", func(c *upstream.Call, out io.Writer) error {
				if err := yes(c, out); err != nil {
					return err
				}
				<-slow.begun
				defer close(done)
				return after(c, out)
			}, no)
			first, second := make(chan error, 1), make(chan error, 1)
			ann.goCall(first, "ping", call{environment: "default", reply: slow})
			<-slow.begun
			<-done
			var reply bytes.Buffer
			bob.goCall(second, "ping", call{environment: "default", reply: &reply})
			hosttest.Await(t, "the other call waits", func() bool { return w.Waiting() == 1 })
			hosttest.Await(t, "the upstream has closed it", func() bool { return outcome != "Closed" || w.server.Connections() == 0 })
			close(slow.goOn)
			if err := <-first; err != nil {
				t.Error(err)
			}
			if err := <-second; err != nil {
				t.Fatalf("the call that waited = %v", err)
			}
			m, err := message.NewReader(&reply, 1<<20).Read()
			if err != nil || m.Value(&m.Fields[0])[0] != 0 {
				t.Errorf("it was given another's answer: %v", err)
			}
			if f := w.Figures(); f.InUse != 0 || f.Idle != 1 {
				t.Errorf("%+v, want one connection", f)
			}
		})
	}
}
