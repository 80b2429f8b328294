package clients

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/rpc"
	"os"
	"sync"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Attempt is what a client logs in with.
type Attempt struct {
	Address  string // where it says that it comes from, with a port
	Username string
	Password []byte
}

// Answer is what an attempt, or a token, came to.
type Answer struct {
	Token   session.Token
	Refusal *account.Error // nil: accepted
}

// Serve serves clients at the path until ctx ends. A socket that is there is of
// a host that was killed: the caller holds the home.
func Serve(ctx context.Context, path string, g *gate.Gate) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		socket, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		all.Go(func() { serve(ctx, socket, g) })
	}
}

// serve returns when the connection has ended, and with it its sessions.
func serve(ctx context.Context, socket net.Conn, g *gate.Gate) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	c := &Clients{ctx: ctx, gate: g, logins: map[session.Token]gate.Login{}}
	server := rpc.NewServer()
	if err := server.Register(c); err != nil {
		panic(err) // the methods below are not of net/rpc's form
	}
	server.ServeConn(socket)
	c.close()
}

// Clients are those behind one connection. Its methods are what they may call.
type Clients struct {
	ctx  context.Context
	gate *gate.Gate

	mu     sync.Mutex
	closed bool
	logins map[session.Token]gate.Login
}

// Login opens a session.
func (c *Clients) Login(a Attempt, answer *Answer) error {
	origin := gate.Origin{Listener: account.ClientListener, RemoteAddress: a.Address, Client: "crowd"}
	login, err := c.gate.Login(c.ctx, origin, a.Username, a.Password)
	if err != nil {
		answer.Refusal = refusal(err)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.gate.Close(login)
		return io.EOF
	}
	c.logins[login.Token] = login
	answer.Token = login.Token
	return nil
}

// Check says whether a token is good.
func (c *Clients) Check(t session.Token, answer *Answer) error {
	_, err := c.gate.Table.Check(t)
	answer.Token, answer.Refusal = t, refusal(err)
	return nil
}

// Logout ends a session of this connection, if it has one behind the token.
func (c *Clients) Logout(t session.Token, _ *Answer) error {
	c.mu.Lock()
	login, ok := c.logins[t]
	delete(c.logins, t)
	c.mu.Unlock()
	if ok {
		c.gate.Close(login)
	}
	return nil
}

func (c *Clients) close() {
	c.mu.Lock()
	c.closed = true
	all := c.logins
	c.logins = nil
	c.mu.Unlock()
	for _, login := range all {
		c.gate.Close(login)
	}
}

func refusal(err error) *account.Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*account.Error](err); ok {
		return e
	}
	return &account.Error{Kind: account.KindInternal, Message: err.Error()}
}
