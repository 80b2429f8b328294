package management

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

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
	operator bool          // root, or the home's owner
	logins   chan struct{} // one place: for the login under way
	strange  atomic.Int64  // bytes that came before there was a session
	familiar atomic.Bool   // there was a session

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

// beginLogin waits until no other login is under way on the connection: it can
// hold one session only, and a flood over few connections stays small.
func (c *connection) beginLogin(ctx context.Context) (end func(), err error) {
	select {
	case c.logins <- struct{}{}:
		return func() { <-c.logins }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hold makes the session the connection's, after ending an earlier one. It
// reports false if the connection is already closed.
func (c *connection) hold(token session.Token, end func()) bool {
	c.mu.Lock()
	before, ok := c.end, !c.closed
	if ok {
		c.token, c.end = token, end
	}
	c.mu.Unlock()
	if ok {
		c.familiar.Store(true)
	}
	if ok && before != nil {
		before()
	}
	return ok
}

// maxStrange is how many bytes may come over a connection that has had no
// session. What is said there is short, and messages in the making are what its
// peer could fill memory with; only the operator waits for large answers there,
// and acknowledges them.
const maxStrange = 128 << 10

// reads reports whether so many more bytes may come.
func (c *connection) reads(n int) bool {
	return c.familiar.Load() || c.operator || c.strange.Add(int64(n)) <= maxStrange
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
	owner  int // uid of the home's owner
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
		uid:            uid, pid: pid, operator: uid == 0 || uid == p.owner, logins: make(chan struct{}, 1),
	}
	return &watchedConn{Conn: raw, reads: c.reads, closed: sync.OnceFunc(func() { p.places.give(uid); c.close() })}, c, nil
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

// watchedConn bounds what comes over the connection, and tells when the transport
// lets go of it.
type watchedConn struct {
	net.Conn
	reads  func(n int) bool // whether so many more bytes may come
	closed func()
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.reads(n) {
		return 0, errors.New("too much came over a connection without a login")
	}
	return n, err
}

func (c *watchedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}
