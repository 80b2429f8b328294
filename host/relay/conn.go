package relay

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/shared/account"
)

var (
	// errNotSent says that nothing of a request has gone out.
	errNotSent = errors.New("nothing was sent")

	// errGarbage says that an answer is none to what was asked.
	errGarbage = errors.New("the data server's answer is none to the call")

	errAway error = account.Unavailable("the data server cannot be reached; try again in a moment")
)

// conn is a connection to the upstream. One call uses it at a time.
type conn struct {
	net    net.Conn
	socket syscall.RawConn
	reader *message.Reader
	fresh  bool // no call has ended on it

	out   net.Buffers // what goes out
	parts [5][]byte   // room for out

	// Of the call under way.
	name    string // the answer must have it
	seqID   int32  // and that
	got     int64  // bytes of the answer that have come
	told    int64  // and that have gone to the client in parts
	broken  bool   // what comes next cannot be trusted
	failure error  // why there is no answer
	scratch []byte // for an answer that is written anew

	idleSince time.Time // guarded by the pool's mu

	probe func(fd uintptr)
	open  bool // what probe found

	mu      sync.Mutex // guards what follows, which watch looks at
	busy    bool
	cut     bool
	call    *Call     // nil: the relay's own
	streams bool      // its answer has begun to go to the client in parts
	ended   time.Time // when its session was first found over; zero: never
	ctx     context.Context
	limit   time.Duration // between two signs of progress
	active  time.Time     // the last sign of progress
	oneByte [1]byte       // probe's
}

func newConn(n net.Conn, kept int) (*conn, error) {
	socket, err := n.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &conn{net: n, socket: socket, fresh: true}
	c.probe = func(fd uintptr) {
		_, err := syscall.Read(int(fd), c.oneByte[:])
		c.open = err == syscall.EAGAIN // neither the end of the stream nor a byte, which nobody asked for
	}
	c.reader = message.NewReader(source{c}, math.MaxInt)
	c.reader.Stream(kept, c.stream)
	return c, nil
}

// alive reports whether an idle connection is still open. It does not wait.
func (c *conn) alive() bool {
	c.open = false
	return c.socket.Control(c.probe) == nil && c.open
}

// begin says that a call begins; the pool's done must follow.
func (c *conn) begin(ctx context.Context, limit time.Duration, call *Call) {
	c.got, c.told, c.failure = 0, 0, nil
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy, c.ctx, c.limit, c.active = true, ctx, limit, now
	c.call, c.streams, c.ended = call, false, time.Time{}
}

// end says that the call is over, and reports whether watch has cut it off.
func (c *conn) end() (cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy, c.ctx, c.call = false, nil, nil
	return c.cut
}

// progress is a sign that the call goes on.
func (c *conn) progress() {
	now := time.Now()
	c.mu.Lock()
	c.active = now
	c.mu.Unlock()
}

// longRequest is how long a request must be, in bytes, for its going out to take
// time that is worth a note.
const longRequest = 64 << 10

// exchange sends out and reads the answer, which is good until the connection is
// done. A long one goes to the client in parts. It refuses with errNotSent,
// ErrUnknown, and ErrCut.
func (c *conn) exchange(name string, seqID int32) (*message.Message, error) {
	c.name, c.seqID = name, seqID
	long := len(c.out[0]) > longRequest || len(c.out[len(c.out)-1]) > longRequest
	n, err := c.out.WriteTo(c.net)
	if err != nil {
		c.broken, c.failure = true, err
		if n == 0 {
			return nil, errNotSent
		}
		return nil, ErrUnknown
	}
	if long {
		c.progress()
	}
	m, err := c.reader.Read()
	if err == nil && !m.Streamed {
		c.told = int64(len(m.Bytes))
		err = c.check(m)
	}
	if err != nil {
		c.broken, c.failure = true, err
		if c.told > 0 && err != errGarbage {
			return nil, ErrCut
		}
		return nil, ErrUnknown
	}
	// There is more than one answer, or an error that may be of a call half read.
	c.broken = c.got != c.told || m.Streamed && m.Kind == thrift.EXCEPTION
	return m, nil
}

// source is what the reader reads from.
type source struct{ *conn }

func (s source) Read(p []byte) (int, error) {
	n, err := s.net.Read(p)
	s.got += int64(n)
	s.progress()
	return n, err
}

// check refuses with errGarbage what is no answer to the call.
func (c *conn) check(m *message.Message) error {
	if string(m.Name) != c.name || m.SeqID != c.seqID || m.Kind != thrift.REPLY && m.Kind != thrift.EXCEPTION {
		return errGarbage
	}
	return nil
}

// stream passes a part of a long answer on to the client. Only a value may be
// that long: nothing in it is looked at.
func (c *conn) stream(head *message.Message, part []byte) error {
	if c.told == 0 {
		if err := c.check(head); err != nil {
			return err
		}
		if c.call == nil || c.name == stageName || !isValue(head, part) {
			return errGarbage
		}
		c.mu.Lock()
		c.streams = true
		c.mu.Unlock()
	}
	n, err := c.call.Reply.Write(part)
	c.told += int64(n)
	if err != nil && c.told == 0 {
		c.told = 1 // who knows
	}
	c.progress()
	return err
}

const (
	stageName  = "stage"
	commitName = "commit"
)

// isValue reports whether a long answer's beginning is that of a result, or of no
// result at all but an error of the service's own.
func isValue(head *message.Message, part []byte) bool {
	if head.Kind == thrift.EXCEPTION {
		return true
	}
	at := 4 + len(head.Name) + 1 + 4
	if part[0]&0x80 != 0 { // the strict form
		at = 4 + 4 + len(head.Name) + 4
	}
	return len(part) >= at+3 && part[at+1] == 0 && part[at+2] == 0
}
