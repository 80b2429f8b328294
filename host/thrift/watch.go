package thrift

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cinchapi/concourse-users/host/relay"
)

// lookEvery is how often a connection whose call lasts is looked at.
const lookEvery = time.Second

// watch finds out that a client has gone while its call waits, and then cancels
// the connection's calls, unless a data server has the call. It costs a call that
// is over soon next to nothing.
type watch struct {
	timer *time.Timer
	calls atomic.Bool                // a call is under way
	relay atomic.Pointer[relay.Call] // in the relay; nil: it is not there
}

func (w *watch) begin(c *conn) {
	w.calls.Store(true)
	if w.timer == nil {
		w.timer = time.AfterFunc(time.Hour, func() {
			switch {
			case !w.calls.Load():
			case !w.sent() && gone(c.raw):
				c.cancel()
			default:
				w.timer.Reset(lookEvery)
			}
		})
	}
	w.timer.Reset(lookEvery)
}

func (w *watch) sent() bool {
	call := w.relay.Load()
	return call != nil && call.Sent()
}

// end may be called again, and without begin.
func (w *watch) end() {
	w.calls.Store(false)
	w.relay.Store(nil)
	if w.timer != nil {
		w.timer.Stop()
	}
}

// gone reports whether nothing can come from a socket any more, without taking
// what has come. A client that has closed its own direction only is taken for
// gone; no driver does so.
func gone(socket net.Conn) bool {
	s, ok := socket.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	over := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		over = n == 0 && err == nil || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.ETIMEDOUT)
	})
	return over || err != nil
}
