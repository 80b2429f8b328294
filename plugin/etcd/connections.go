package etcd

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// connections are those to the members. A member that was stopped keeps its
// connections, and what is sent to it is never answered; the client would go on
// to ask it in its turn. A connection that is broken off is made anew, and not
// used before the member answers.
type connections struct {
	dialer net.Dialer

	mu   sync.Mutex // guards open
	open map[*connection]struct{}
}

type connection struct {
	net.Conn
	of    *connections
	heard atomic.Int64 // when something was last received, in Unix nanoseconds
}

func newConnections(timeout time.Duration) *connections {
	return &connections{dialer: net.Dialer{Timeout: timeout}, open: map[*connection]struct{}{}}
}

func (c *connections) dial(ctx context.Context, address string) (net.Conn, error) {
	raw, err := c.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	one := &connection{Conn: raw, of: c}
	one.heard.Store(time.Now().UnixNano())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[one] = struct{}{}
	return one, nil
}

// breakSilent breaks off the connections on which nothing was received since
// then. One that was merely idle is among them, and costs no more than itself.
func (c *connections) breakSilent(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for one := range c.open {
		if one.heard.Load() < since.UnixNano() {
			one.Conn.Close()
		}
	}
}

func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
