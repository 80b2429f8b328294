package management

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// connection is what the service knows of one connection: who is at its other
// end, by the kernel's word, and the session that ends with it.
type connection struct {
	credentials.CommonAuthInfo
	uid, pid int

	mu     sync.Mutex
	closed bool
	token  session.Token // of the connection's session
	end    func()        // ends that session; nil without one
}

// origin says where a call comes from.
func (c *connection) origin() gate.Origin {
	return gate.Origin{
		Listener: account.ManagementListener, RemoteAddress: fmt.Sprintf("uid:%d", c.uid), Local: true, UID: c.uid, PID: c.pid,
	}
}

// AuthType names the way in which the peer is known.
func (*connection) AuthType() string { return "unix-peer" }

// hold makes the session the connection's, after ending an earlier one. It
// reports false if the connection is already closed.
func (c *connection) hold(token session.Token, end func()) bool {
	c.mu.Lock()
	before, ok := c.end, !c.closed
	if ok {
		c.token, c.end = token, end
	}
	c.mu.Unlock()
	if ok && before != nil {
		before()
	}
	return ok
}

// holds reports whether the token is that of the connection's session: one
// shown elsewhere is as good as none.
func (c *connection) holds(token session.Token) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil && subtle.ConstantTimeCompare(c.token[:], token[:]) == 1
}

func (c *connection) close() {
	c.mu.Lock()
	end := c.end
	c.closed, c.end = true, nil
	c.mu.Unlock()
	if end != nil {
		end()
	}
}

// connectionOf returns the connection that a call came over.
func connectionOf(ctx context.Context) *connection {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	c, _ := p.AuthInfo.(*connection)
	return c
}

// peerCredentials is a gRPC transport without encryption, for a unix socket,
// that learns the peer's uid and pid, bounds how many are connected, and notices
// the end of a connection.
type peerCredentials struct {
	credentials.TransportCredentials
	places *places
}

func (p peerCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	uid, pid, err := peerOf(raw)
	if err != nil {
		return nil, nil, err
	}
	if !p.places.take(uid) {
		return nil, nil, errors.New("too many connections to the management socket")
	}
	c := &connection{
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity},
		uid:            uid, pid: pid,
	}
	return &watchedConn{Conn: raw, closed: sync.OnceFunc(func() { p.places.give(uid); c.close() })}, c, nil
}

func (p peerCredentials) Clone() credentials.TransportCredentials { return p }

// places counts connections by uid, so that no user of the socket's group keeps
// the others, or the operator, from it.
type places struct {
	mu    sync.Mutex
	taken map[int]int
}

// maxConnections bounds the connections of one uid.
const maxConnections = 256

func (p *places) take(uid int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[uid] >= maxConnections {
		return false
	}
	p.taken[uid]++
	return true
}

func (p *places) give(uid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[uid]--; p.taken[uid] == 0 {
		delete(p.taken, uid)
	}
}

// watchedConn tells when the transport lets go of the connection.
type watchedConn struct {
	net.Conn
	closed func()
}

func (c *watchedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}
