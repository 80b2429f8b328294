package thrift

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// What ends a connection besides the refusals of package message.
var (
	errNoCall    = errors.New("a message that is no call")
	errNoService = errors.New("a call of a service that there is not")
	errPanic     = errors.New("the call failed when a part of its answer had gone out")
	errStopping  = errors.New("the host stops")
)

// conn is one connection. Its own goroutine uses it, and so may what the
// comments say.
type conn struct {
	server *Server
	raw    net.Conn // the socket; Stop closes it
	net    net.Conn // the same, or TLS over it; Stop sets its read deadline
	reader *message.Reader
	origin gate.Origin  // without what a login adds
	source netip.Prefix // what counts as its address

	trusted bool    // a session whose token it showed lives
	begun   bool    // a message has begun to come
	timed   bool    // and its deadline was set
	held    int     // bytes of the server's budget that the message has
	holder  string  // the account that they are counted for
	wrote   bool    // a part of an answer has gone out
	request request // the call under way

	calls  context.Context // ends with the server's, or when the client was found gone
	cancel context.CancelFunc
	watch  watch

	// While the connection rests, and while the relay has its call, what follows mu
	// is of whoever holds mu; otherwise of the connection's own goroutine.
	mu      sync.Mutex
	resting bool               // it waits for a message
	calling bool               // a call is under way
	away    bool               // whose client has gone, so that shown doesn't count the connection
	limited bool               // a read deadline stands
	shown   []*session.Session // whose connections this one counts among
}

func newConn(s *Server, socket net.Conn) *conn {
	c := &conn{server: s, raw: socket, net: socket}
	if s.tls != nil {
		c.net = tls.Server(socket, s.tls)
	}
	c.origin.RemoteAddress, c.source = socket.RemoteAddr().String(), sourceOf(socket.RemoteAddr())
	c.reader = message.NewReader(c, min(mostLogin, s.options.MaxMessage))
	c.reader.Account(c.hold)
	return c
}

// serve answers calls until the connection ends.
func (c *conn) serve() {
	defer c.end()
	defer func() {
		if p := recover(); p != nil {
			c.server.options.Logger.Error("a connection failed", "panic", fmt.Sprintf("%T", p))
		}
	}()
	c.calls, c.cancel = context.WithCancel(c.server.calls)
	err := c.begin()
	for err == nil {
		err = c.next()
	}
	c.remark(err)
}

// begin has the kernel look after silent peers, and shakes hands.
func (c *conn) begin() error {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		if err := tcp.SetKeepAliveConfig(keepAlive); err != nil {
			return err
		}
	}
	secure, ok := c.net.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.calls, c.server.options.FirstByte)
	defer cancel()
	return secure.HandshakeContext(ctx)
}

// keepAlive notices within a minute that a peer is gone without a word.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// next waits for a call and answers it.
func (c *conn) next() error {
	c.begun, c.timed = false, false
	c.distrust()
	switch {
	case !c.trusted:
		c.limit(c.server.options.FirstByte)
	case c.limited:
		c.limit(0)
	}
	if c.server.stopping() {
		return errStopping
	}
	if err := c.rest(); err != nil {
		return err
	}
	c.begun = true
	m, err := c.reader.Read()
	if err != nil {
		return err
	}
	if m.Kind != thrift.CALL {
		return errNoCall
	}
	name := string(m.Name)
	method, known := c.server.handler.lookup(name)
	if !known {
		return errNoService
	}
	r := &c.request
	*r = request{conn: c, message: m, method: method, name: name}
	if _, bare, multiplexed := strings.Cut(name, ":"); multiplexed {
		r.name, r.multiplexed = bare, true
	}
	c.wrote = false
	if method == nil {
		return r.fail(thrift.UNKNOWN_METHOD, "Invalid method name: '"+r.name+"'")
	}
	return c.answer(r)
}

// rest returns when a message begins.
func (c *conn) rest() error {
	c.setResting(true)
	defer c.setResting(false)
	return c.reader.Wait()
}

func (c *conn) setResting(so bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resting = so
}

// hurry has a connection that rests, and whose sessions have all ended, wait no
// longer than a stranger's. Others call it, when places have run out: as long as
// there are some, a driver whose session has ended is told so whenever it calls
// next, and logs in again.
func (c *conn) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resting && !c.limited && !slices.ContainsFunc(c.shown, func(s *session.Session) bool { return !s.Ended() }) {
		c.limit(c.server.options.FirstByte)
	}
}

// answer has the handler answer. What a panic says stays out of the log: it
// might quote an argument (rule 9).
func (c *conn) answer(r *request) (err error) {
	c.watch.begin(c)
	defer c.watch.end(c)
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		c.server.options.Logger.Error("a call failed", "method", r.name, "panic", fmt.Sprintf("%T", p))
		if err = errPanic; !c.wrote {
			err = r.internal()
		}
	}()
	return c.server.handler.answer(c.calls, r)
}

// Read reads for the reader. Only a message that does not come at once costs a
// deadline.
func (c *conn) Read(p []byte) (int, error) {
	if c.begun && !c.timed {
		c.timed = true
		c.limit(c.server.options.MessageWithin)
	}
	return c.net.Read(p)
}

// Write writes a part of an answer. If that fails the socket is closed, since TLS
// would wait for the client to take a goodbye.
func (c *conn) Write(p []byte) (int, error) {
	c.wrote = true
	if err := c.net.SetWriteDeadline(time.Now().Add(c.server.options.WriteWithin)); err != nil {
		return 0, err
	}
	n, err := c.net.Write(p)
	if err != nil {
		c.raw.Close()
	}
	return n, err
}

// SetWriteDeadline ends a write under way. The relay calls it, from a goroutine of
// its own, when it has cut the call.
func (c *conn) SetWriteDeadline(at time.Time) error { return c.net.SetWriteDeadline(at) }

// limit bounds the wait for what comes next; 0 lifts the bound.
func (c *conn) limit(within time.Duration) {
	var at time.Time
	if within > 0 {
		at = time.Now().Add(within)
	}
	c.limited = within > 0
	c.net.SetReadDeadline(at)
	if c.server.stopping() { // whose wake may have come just before
		c.wake()
	}
}

// wake ends every wait for what comes next. Stop calls it.
func (c *conn) wake() { c.net.SetReadDeadline(time.Unix(1, 0)) }

// end lets go of the connection, and of the sessions that it was the last of.
func (c *conn) end() {
	c.watch.end(c)
	c.cancel()
	c.net.Close()
	c.hold(-c.held)
	c.uncount()
	c.server.left(c)
}

// uncount tells the sessions that counted the connection that it is no more.
func (c *conn) uncount() {
	for _, s := range c.shown {
		c.server.handler.disconnected(s, s.CloseConnection() == 0)
	}
}

// remark tells of a connection that its client's own doing has ended.
func (c *conn) remark(err error) {
	var why string
	record, bad := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case c.server.stopping():
		return
	case errors.Is(err, message.ErrNoRoom):
		if n, ok := c.server.overfull.turn(); ok {
			c.server.options.Logger.Warn("an account's long messages hold as much memory as is free besides; one more has closed its connection",
				"account", c.holder, "address", c.origin.RemoteAddress, "most", c.server.budget.most, "times", n)
		}
		return
	case errors.Is(err, message.ErrTLS) && c.server.tls == nil:
		why = fmt.Sprintf("it speaks TLS, and %s is not set", c.server.options.TLSSetting)
	case bad && !isTLS(record.RecordHeader[0]):
		why = "it speaks without TLS"
	case errors.Is(err, message.ErrTooLong), errors.Is(err, message.ErrTooDeep), errors.Is(err, message.ErrTooMany),
		errors.Is(err, message.ErrNoThrift), errors.Is(err, errNoCall), errors.Is(err, errNoService), bad:
		why = err.Error()
	case (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)) && !c.begun:
		why = fmt.Sprintf("it said nothing within %v", c.server.options.FirstByte)
	case errors.Is(err, os.ErrDeadlineExceeded):
		why = "it was too slow"
	default: // it has gone, as clients do
		if !errors.Is(err, io.EOF) {
			c.server.options.Logger.Debug("a connection has ended", "address", c.origin.RemoteAddress, "error", err)
		}
		return
	}
	if n, ok := c.server.unruly.turn(); ok {
		c.server.options.Logger.Warn("a client's connection was closed", "address", c.origin.RemoteAddress, "reason", why, "times", n)
	}
}

// isTLS reports whether a record of TLS may begin so: with the number of its kind.
func isTLS(first byte) bool { return 20 <= first && first <= 24 }
