package management

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// DialOptions are what a Client may be told.
type DialOptions struct {
	// AllowedOwners are uids that may own the socket, besides root and the
	// caller's own.
	AllowedOwners []uint32
	// Program names the caller in sessions listings, with its version.
	Program string
	// AnswerWithin bounds the wait for each answer; zero means two minutes.
	AnswerWithin time.Duration
}

// reachWithin bounds the wait for a host that accepted the connection to speak.
const reachWithin = 10 * time.Second

// Client speaks to one host over one connection, in domain types. It never
// connects again: the session ends with the connection. Its errors are those
// of the host, plus Unavailable when no answer came, or OutcomeUnknown when
// none came to a change, or one that does not say whether it was carried out.
type Client struct {
	conn       *grpc.ClientConn
	management managementv1.ManagementClient
	operator   managementv1.OperatorClient
	options    DialOptions
	socket     socketFile
	bearer     string // the authorization metadata of the login; empty before it
	username   string // who logged in
	session    string // the id of the login's session
}

// Dial connects to the host behind the socket. Before anything is sent it
// requires that the socket belongs to root, to the caller, or to one of
// AllowedOwners, and so does the process that listens there. It refuses:
// Unavailable (no host answers), NotPermitted (not a socket that may be trusted,
// or not one that the caller may use), Invalid (a path too long to connect to).
func Dial(ctx context.Context, path string, o DialOptions) (*Client, error) {
	if o.AnswerWithin == 0 {
		o.AnswerWithin = 2 * time.Minute
	}
	file, err := checkOwner(path, o.AllowedOwners)
	if err != nil {
		return nil, err
	}
	socket, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, unreachable(ctx, path, err)
	}
	if err := checkPeer(path, socket, o.AllowedOwners); err != nil {
		socket.Close()
		return nil, err
	}
	var used atomic.Bool
	conn, err := grpc.NewClient("passthrough:///concourse", append(wire.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if used.Swap(true) {
				return nil, errors.New("the connection to the host is gone")
			}
			return socket, nil
		}),
		grpc.WithIdleTimeout(0), // a long wait at a prompt must not end the session
	)...)
	if err != nil {
		socket.Close()
		return nil, err
	}
	if err := ready(ctx, conn); err != nil {
		conn.Close()
		socket.Close()
		return nil, unreachable(ctx, path, err)
	}
	return &Client{
		conn: conn, options: o, socket: socketFile{path, file},
		management: managementv1.NewManagementClient(conn),
		operator:   managementv1.NewOperatorClient(conn),
	}, nil
}

// Lost reports whether the connection is gone, and the session with it. It may
// notice a moment later than a call that broke.
func (c *Client) Lost() bool { return c.conn.GetState() != connectivity.Ready }

// Close ends the connection, and with it the session.
func (c *Client) Close() error { return c.conn.Close() }

func ready(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	conn.Connect()
	for {
		switch state := conn.GetState(); state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return syscall.ECONNREFUSED
		default:
			if !conn.WaitForStateChange(ctx, state) {
				return ctx.Err()
			}
		}
	}
}

// checkOwner keeps a password from a stranger's socket.
func checkOwner(path string, allowed []uint32) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, unreachable(context.Background(), path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return nil, account.NotPermitted("", "%s is not a socket; nothing was sent to it", path)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !trusted(owner, os.Geteuid(), allowed) {
		name, who := nameOf(owner)
		return nil, account.NotPermitted("", "the socket %s belongs to %s, which is neither root nor this user, so nothing was sent to it; if that is the host's user, add --socket-owner %s", path, who, name)
	}
	return info, nil
}

// checkPeer keeps it from a stranger who has put another socket in the place of
// the one that was looked at.
func checkPeer(path string, socket net.Conn, allowed []uint32) error {
	uid, _, err := peerOf(socket)
	if err != nil {
		return account.Unavailable("it cannot be told who listens at %s, so nothing was sent there: %v", path, err)
	}
	if !trusted(uint32(uid), os.Geteuid(), allowed) {
		_, who := nameOf(uint32(uid))
		return account.NotPermitted("", "somebody else listens at the socket %s: a process of %s, which is neither root nor this user, so nothing was sent to it", path, who)
	}
	return nil
}

// nameOf returns a user's name, as an option takes it, and with its uid.
func nameOf(owner uint32) (name, who string) {
	uid := strconv.FormatUint(uint64(owner), 10)
	u, err := user.LookupId(uid)
	if err != nil {
		return uid, "uid " + uid
	}
	name = account.Printable(u.Username)
	return name, "'" + name + "' (uid " + uid + ")"
}

func trusted(owner uint32, self int, allowed []uint32) bool {
	return owner == 0 || int(owner) == self || slices.Contains(allowed, owner)
}

func unreachable(ctx context.Context, path string, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return interrupted()
	case errors.Is(err, fs.ErrPermission):
		return account.NotPermitted("", "this user may not use the socket %s; what asks for no login is for the home's owner and root, the rest also for the group in management.socket_group", path)
	case errors.Is(err, syscall.EINVAL): // sun_path is full
		return account.Invalid("home", "the path of the socket %s is too long to connect to; name the home by a shorter one", path)
	case errors.Is(err, context.DeadlineExceeded):
		return account.Unavailable("the Concourse host at %s does not answer", path)
	}
	return account.Unavailable("no Concourse host answers at %s; start it with 'concourse start'", path)
}

// authorize attaches the session's token.
func (c *Client) authorize(ctx context.Context) context.Context {
	if c.bearer == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", c.bearer)
}

// call also bounds the wait for an answer.
func (c *Client) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.authorize(ctx), c.options.AnswerWithin)
}

// Login opens the session that later calls belong to and returns the username
// in its normal form. The token stays inside the Client. It refuses:
// NotAuthenticated, NotPermitted (suspended, or not an ADMIN), Throttled.
func (c *Client) Login(ctx context.Context, username string, password account.Secret) (string, error) {
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.management.Login(ctx, &managementv1.LoginRequest{Username: username, Password: password, Client: c.options.Program})
	if err != nil {
		return "", c.answer(ctx, err)
	}
	c.bearer = "Bearer " + base64.RawURLEncoding.EncodeToString(p.GetToken())
	c.username, c.session = p.GetUsername(), p.GetSessionId()
	return c.username, nil
}

// Username is that of the last login, in its normal form.
func (c *Client) Username() string { return c.username }

// SessionID is the public id of the session that the last login opened.
func (c *Client) SessionID() string { return c.session }
