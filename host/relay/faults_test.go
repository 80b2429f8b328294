package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/shared/account"
)

var read = call{environment: "default"}

func TestRelay_ErrUnknown(t *testing.T) {
	w := newWorld(t, func(o *relay.Options) { o.ReplyTimeout = 300 * time.Millisecond })
	k := w.login("ann", "default:READ")
	k.do("ping", read)
	for outcome, a := range map[string]upstream.Answer{
		"Closed":      upstream.CloseUnasked,
		"ClosedLater": upstream.CloseUnanswered,
		"Truncated":   upstream.CloseAfter(20, nil),
		"Hangs":       upstream.Hang,
		"OtherSeqID":  upstream.OtherSeqID,
		"Garbage":     upstream.Raw([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")),
		"OtherName":   upstream.Raw([]byte("\x80\x01\x00\x02\x00\x00\x00\x04pong\x00\x00\x00\x00\x00")),
		"Call":        upstream.Raw([]byte("\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00\x00")),
		"Oneway":      upstream.Raw([]byte("\x80\x01\x00\x04\x00\x00\x00\x04ping\x00\x00\x00\x00\x00")),
		"NoType":      upstream.Raw([]byte("\x80\x01\x00\x02\x00\x00\x00\x04ping\x00\x00\x00\x00\x1f\x00\x00\x00")),
	} {
		t.Run(outcome, func(t *testing.T) {
			w.server.Next("ping", a)
			w.server.Forget()
			k.wants(relay.ErrUnknown, "ping", read)
			if n := len(w.server.Calls("ping")); n != 1 {
				t.Errorf("the call was made %d times", n)
			}
			k.do("ping", read) // over another connection
		})
	}
	if f := w.Figures(); f.Failures != 10 || f.InUse != 0 {
		t.Errorf("%+v, want 10 failures", f)
	}
}

// What comes after an answer is no answer to the next call, though every call of
// an old driver has the sequence id 0.
func TestRelay_TwoAnswers(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	for range 20 {
		w.server.Next("ping", upstream.Twice)
		k.do("ping", read)
		hosttest.Await(t, "the connection is idle or closed", func() bool { return w.Figures().InUse == 0 })
		w.server.Next("ping", upstream.Result([]byte{2, 0, 0, 0, 0}))
		if m := k.do("ping", read); m.Value(&m.Fields[0])[0] != 0 {
			t.Fatal("a call was given the answer to the one before")
		}
	}
}

func TestRelay_Streams(t *testing.T) {
	const size = 64 << 20
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	k.do("ping", read)
	w.server.Always("getServerEnvironment", upstream.Huge(size))
	var most uint64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	to := &counter{each: func(n int) {
		var m runtime.MemStats
		if n%(8<<20) < 1<<20 {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}}
	if _, err := k.call("getServerEnvironment", call{environment: "default", reply: to}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if want := size + len("\x80\x01\x00\x02NAMEgetServerEnvironmentSEQS\x0b\x00\x00SIZE\x00"); to.n != want {
		t.Errorf("%d bytes came, want %d", to.n, want)
	}
	if made := after.TotalAlloc - before.TotalAlloc; made > 4<<20 {
		t.Errorf("%d MiB of memory were taken, one after another, for an answer of %d MiB", made>>20, size>>20)
	}
	if most > before.HeapAlloc+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before.HeapAlloc, most)
	}
	if f := w.Figures(); f.Idle != 1 {
		t.Errorf("the connection is not used again: %+v", f)
	}

	to = &counter{}
	w.server.Always("getServerEnvironment", upstream.CloseAfter(1<<20, upstream.Huge(size)))
	if _, err := k.call("getServerEnvironment", call{environment: "default", reply: to}); err != relay.ErrCut || to.n == 0 {
		t.Errorf("an answer that broke off after %d bytes = %v, want ErrCut", to.n, err)
	}
	w.server.Always("getServerEnvironment", upstream.Huge(size))
	to = &counter{fails: 1 << 20}
	if _, err := k.call("getServerEnvironment", call{environment: "default", reply: to}); err != relay.ErrCut {
		t.Errorf("a client that went = %v, want ErrCut", err)
	}
	w.server.Always("getServerEnvironment", upstream.Huge(300<<10)) // in one part, or hardly more
	if reply, err := k.call("getServerEnvironment", read); err != nil || !bytes.HasSuffix(reply, []byte{0}) || len(reply) < 300<<10 {
		t.Errorf("%d bytes: %v", len(reply), err)
	}
}

// counter counts what is written, and fails after so much.
type counter struct {
	n, fails int
	each     func(n int)
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	if c.each != nil {
		c.each(c.n)
	}
	if c.fails > 0 && c.n > c.fails {
		return 0, errors.New("the client has gone")
	}
	return len(p), nil
}

// An exception that is too long to be kept is none that a client may see: it could
// be one of security.
func TestRelay_HugeException(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	w.server.Next("ping", upstream.Exception(1, strings.Repeat("x", 1<<20)))
	k.wants(relay.ErrUnknown, "ping", read)
}

func TestRelay_SlowAnswer(t *testing.T) {
	w := newWorld(t, func(o *relay.Options) { o.ReplyTimeout = 2 * time.Second })
	k := w.login("ann", "default:READ")
	w.server.Next("ping", upstream.Slowly(300*time.Millisecond, 2, nil)) // takes longer than the limit, but goes on
	k.do("ping", read)
}

func TestRelay_ClientGone(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	w.server.Next("ping", upstream.Hang)
	ctx, gone := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := k.call("ping", call{environment: "default", ctx: ctx})
		result <- err
	}()
	hosttest.Await(t, "the upstream has the call", func() bool { return len(w.server.Calls("ping")) == 1 })
	gone()
	if err := <-result; err != relay.ErrUnknown {
		t.Errorf("ping = %v", err)
	}
}

func TestRelay_UpstreamAway(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	staged := call{environment: "default", transaction: k.stage("default")}
	for range 3 {
		w.server.Kill()
		for range 5 {
			k.wantsKind(account.KindUnavailable, "ping", read)
		}
		if err := w.server.Revive(); err != nil {
			t.Fatal(err)
		}
		k.do("ping", read)
	}
	if n := w.log.count("cannot be reached"); n != 3 {
		t.Errorf("the log says %d times that it is away:\n%s", n, w.log)
	}
	if _, err := k.call("setKeyValueRecord", staged); err != nil { // the upstream's own refusal
		t.Error(err)
	}
}

// An idle connection that the upstream has closed costs no call.
func TestRelay_IdleClosed(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	for range 20 {
		var calls sync.WaitGroup
		for range 5 {
			calls.Go(func() {
				if _, err := k.call("ping", read); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		w.server.CloseConnections()
		hosttest.Await(t, "they are closed", func() bool { return w.server.Connections() == 0 })
	}
}

func TestRelay_MaxConnections(t *testing.T) {
	const most = 3
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = most, 200*time.Millisecond })
	k, other := w.login("ann", "default:READ"), w.login("bob", "default:READ")
	staged := k.stage("default")
	released := make(chan struct{})
	w.server.Always("ping", upstream.Until(released, nil))
	var calls sync.WaitGroup
	for i := range most {
		calls.Go(func() {
			if _, err := []*client{k, other}[i%2].call("ping", read); err != nil {
				t.Error(err)
			}
		})
	}
	hosttest.Await(t, "all connections are in use", func() bool { return w.Figures().InUse == most })
	err := other.wantsKind(account.KindUnavailable, "time", read)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint("all ", most, " connections")) {
		t.Errorf("the refusal is %v", err)
	}
	// What must not wait does not.
	w.Disconnected(k.Session)
	hosttest.Await(t, "the transaction is aborted", func() bool { return len(w.server.Transactions()) == 0 })
	close(released)
	calls.Wait()
	k.wants(relay.ErrTransaction, "time", call{environment: "default", transaction: staged})
	hosttest.Await(t, "there are no more than may be", func() bool { f := w.Figures(); return f.Idle <= most && f.InUse == 0 })
}

// Whoever waits has a turn.
func TestRelay_ManyWait(t *testing.T) {
	const limit = 3
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = limit, time.Minute })
	k := w.login("ann", "default:READ")
	var calls sync.WaitGroup
	var most atomic.Int32
	w.server.Always("ping", upstream.Slowly(time.Millisecond, 1000, nil))
	for range 50 {
		calls.Go(func() {
			for range 5 {
				if _, err := k.call("ping", read); err != nil {
					t.Error(err)
				}
				most.Store(max(most.Load(), int32(w.server.Connections())))
			}
		})
	}
	calls.Wait()
	if n := most.Load(); n > limit {
		t.Errorf("there were %d connections", n)
	}
}

// An error that says that a call could not be read may have left the rest of it
// in the stream: what the upstream answers to that is nobody's answer.
func TestRelay_HalfRead(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	k.do("ping", read)
	connection := func() int {
		t.Helper()
		w.server.Forget()
		k.do("ping", read)
		return w.server.Calls("ping")[0].Connection
	}
	before := connection()
	for kind, replaced := range map[byte]bool{6: false, 7: true, 1: true} {
		w.server.Next("ping", upstream.Raw([]byte("\x80\x01\x00\x03\x00\x00\x00\x04ping\x00\x00\x00\x00\x08\x00\x02\x00\x00\x00"+string([]byte{kind})+"\x00")))
		w.server.Forget()
		if _, err := k.call("ping", read); err != nil {
			t.Errorf("an error of kind %d: %v", kind, err)
		}
		after := connection()
		if (after != before) != replaced {
			t.Errorf("after an error of kind %d, which came over connection %d, the next call went over %d", kind, before, after)
		}
		before = after
	}
}
