package relay

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// pool holds the connections to the upstream. The one used last is used next, so
// that those that are too many become idle and are closed.
type pool struct {
	relay *Relay

	mu      sync.Mutex // guards what follows
	all     map[*conn]struct{}
	idle    []*conn // the one used last at the end
	places  int     // taken: by connections, and by attempts to connect
	waiting []chan *conn
	closed  bool
}

func newPool(r *Relay) *pool { return &pool{relay: r, all: map[*conn]struct{}{}} }

// take returns a connection that is open; done must follow. It waits for one, or
// for the upstream to take a new one, within ConnectTimeout; beyond is how many
// places it may take besides MaxConnections. It refuses with Unavailable.
func (p *pool) take(ctx context.Context, beyond int) (*conn, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, errStopping
		}
		if last := len(p.idle) - 1; last >= 0 {
			c := p.idle[last]
			p.idle[last] = nil
			p.idle = p.idle[:last]
			p.mu.Unlock()
			if c.alive() {
				return c, nil
			}
			p.drop(c)
			continue
		}
		if p.places < p.relay.MaxConnections+beyond {
			p.places++
			p.mu.Unlock()
			return p.connect(ctx)
		}
		turn := make(chan *conn, 1)
		p.waiting = append(p.waiting, turn)
		p.mu.Unlock()
		return p.await(ctx, turn)
	}
}

// await waits for a turn: a connection that others are done with, or a place.
func (p *pool) await(ctx context.Context, turn chan *conn) (*conn, error) {
	timeout := time.NewTimer(p.relay.ConnectTimeout)
	defer timeout.Stop()
	select {
	case c, ok := <-turn:
		switch {
		case !ok:
			return nil, errStopping
		case c == nil:
			return p.connect(ctx)
		case !c.alive(): // what came after the last answer is none to the next call
			p.forget(c)
			return p.connect(ctx) // in its place
		}
		return c, nil
	case <-ctx.Done():
	case <-timeout.C:
	}
	p.mu.Lock()
	at := slices.Index(p.waiting, turn)
	if at >= 0 {
		p.waiting = slices.Delete(p.waiting, at, at+1)
	}
	p.mu.Unlock()
	if at < 0 { // too late: it came meanwhile
		if c, ok := <-turn; ok {
			p.pass(c)
		}
	}
	return nil, account.Unavailable("all %d connections to the data server are in use; try again in a moment", p.relay.MaxConnections)
}

// connect makes a connection, for which a place was taken.
func (p *pool) connect(ctx context.Context) (*conn, error) {
	d := net.Dialer{Timeout: p.relay.ConnectTimeout}
	n, err := d.DialContext(ctx, "tcp", p.relay.Address)
	var c *conn
	if err == nil {
		if c, err = newConn(n, p.relay.MaxMessage); err != nil {
			n.Close()
		}
	}
	if err != nil {
		p.pass(nil)
		p.relay.reach.missed(ctx, "the data server cannot be reached", "error", err)
		return nil, errAway
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		n.Close()
		return nil, errStopping
	}
	p.all[c] = struct{}{}
	return c, nil
}

// done takes a connection back when its call is over.
func (p *pool) done(c *conn) {
	if cut := c.end(); cut || c.broken {
		p.drop(c)
		return
	}
	c.fresh = false
	p.pass(c)
}

// drop closes a connection and passes its place on.
func (p *pool) drop(c *conn) {
	p.forget(c)
	p.pass(nil)
}

// forget closes a connection whose place the caller has from here on.
func (p *pool) forget(c *conn) {
	c.net.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, c)
}

// pass passes a connection, or a place if c is nil, on to the first that waits.
func (p *pool) pass(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return // Close has closed it
	}
	if len(p.waiting) > 0 && p.places <= p.relay.MaxConnections {
		p.waiting[0] <- c
		p.waiting = p.waiting[1:]
		return
	}
	if c != nil && p.places <= p.relay.MaxConnections {
		c.idleSince = time.Now()
		p.idle = append(p.idle, c)
		return
	}
	p.places--
	if c != nil {
		delete(p.all, c)
		c.net.Close()
	}
}

// closeIdle closes connections that nobody has used for long.
func (p *pool) closeIdle(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.idle) && now.Sub(p.idle[n].idleSince) > idleLimit {
		p.idle[n].net.Close()
		delete(p.all, p.idle[n])
		n++
	}
	p.idle = slices.Delete(p.idle, 0, n)
	p.places -= n
}

func (p *pool) connections() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*conn, 0, len(p.all))
	for c := range p.all {
		all = append(all, c)
	}
	return all
}

func (p *pool) count() (inUse, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all) - len(p.idle), len(p.idle)
}

// close closes every connection, whoever uses it, and lets nobody in any more.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.all {
		c.net.Close()
	}
	for _, turn := range p.waiting {
		close(turn)
	}
	p.all, p.idle, p.waiting = nil, nil, nil
}
