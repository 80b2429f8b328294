package thrift

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cinchapi/concourse-users/host/relay"
)

// lookEvery is how often a connection whose call lasts is looked at.
const lookEvery = time.Second

// watch finds out that a client has gone while its call waits. It then cancels the
// connection's calls or, if a data server has the call, takes the connection from
// its sessions until that has answered. It costs a call that is over soon next to
// nothing.
type watch struct {
	timer *time.Timer
	relay atomic.Pointer[relay.Call] // in the relay; nil: it is not there
}

func (w *watch) begin(c *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calling = true
	if w.timer == nil {
		w.timer = time.AfterFunc(time.Hour, func() { w.look(c) })
	}
	w.timer.Reset(lookEvery)
}

// end may be called again, and without begin.
func (w *watch) end(c *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	c.calling = false
	w.relay.Store(nil)
	c.comeBack()
}

func (w *watch) look(c *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.calling:
		return
	case c.away || !gone(c.raw):
	case w.sent():
		c.leave()
	default:
		c.cancel()
		return
	}
	w.timer.Reset(lookEvery)
}

func (w *watch) sent() bool {
	call := w.relay.Load()
	return call != nil && call.Sent()
}

// leave has the connection count for none of its sessions: what the last one's
// close ends must not wait for a call that may hang. c.mu is held.
func (c *conn) leave() {
	c.away = true
	c.uncount()
}

// comeBack undoes leave: what the call has begun meanwhile ends with the
// connection. c.mu is held.
func (c *conn) comeBack() {
	if !c.away {
		return
	}
	c.away = false
	for _, s := range c.shown {
		s.OpenConnection()
	}
}

// control calls f with a socket's descriptor; false if the socket is closed.
func control(socket net.Conn, f func(fd int)) bool {
	s, ok := socket.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := s.SyscallConn()
	return err == nil && raw.Control(func(fd uintptr) { f(int(fd)) }) == nil
}
