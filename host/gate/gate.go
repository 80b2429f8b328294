package gate

import (
	"context"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Users is what the gate asks of the plugin, as account.Users documents it.
// Calls are repeated across a plugin's restart by whoever implements it.
type Users interface {
	Authenticate(ctx context.Context, c account.Credentials) (account.Login, error)
	Exists(ctx context.Context, username string) (bool, error)
	Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error)
	Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error)
	Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error)
	Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error)
	Grant(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error)
	Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error)
	Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error)
	Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error)
	Apply(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error)
	Plan(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error)
	Show(ctx context.Context, who account.Caller, username string) (account.Account, error)
	List(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error)
	Export(ctx context.Context, who account.Caller, after string) ([]account.Exported, string, error)
	Backup(ctx context.Context, w io.Writer) error
	CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error)
	Sessions(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error)
}

// Gate holds what deciding about a call takes. Every field but those that hear of
// something is required.
type Gate struct {
	Users    Users
	Table    *session.Table
	Throttle *throttle.Throttle
	Audit    *audit.Log
	Logger   hclog.Logger

	Host               string        // the host's id, for request records
	DefaultEnvironment string        // of a grant or a revocation that names none
	CallTimeout        time.Duration // bounds a change, whatever becomes of its caller
	LeaseWait          time.Duration // how long a call waits for the lease

	// Stopping ends when changes under way may wait no longer, because the
	// host stops.
	Stopping context.Context

	// PasswordChanged, if not nil, hears of every account whose password was
	// set or that was deleted.
	PasswordChanged func(username string)

	// LoginEnded, if not nil, hears how every login ended.
	LoginEnded func(l account.Listener, refusal error)

	// SessionEnded, if not nil, hears of every session that ends, as
	// session.Details.OnEnd does.
	SessionEnded func(*session.Session, session.Cause)

	// halfway, if not nil, is called between the note of what a change said and
	// the end of its target's sessions: tests let others go first there.
	halfway func(context.Context)
}

// Origin says where a call comes from.
type Origin struct {
	Listener      account.Listener
	RemoteAddress string // a network address, or "uid:N" of the peer on a unix socket
	Client        string // as the client names itself
	Environment   string // of a login that names one, in its clean form
	Local         bool   // UID and PID are known
	UID, PID      int
}

// source is what failed logins are counted by: the uid on the socket, or the
// address.
func (o Origin) source() string {
	if o.Local {
		return o.RemoteAddress
	}
	return host(o.RemoteAddress)
}

// Caller is who makes a call that was let in.
type Caller struct {
	Session *session.Session
	Origin  Origin
	call    *session.Call
}

// Done says that the call is over.
func (c Caller) Done() { c.call.End() }

// Admit lets in a call by an enabled ADMIN (rule 3: the token is checked against
// what is known now). It waits for the lease, within LeaseWait. On the client
// listener, a session of another is as good as none. Refuses: NotAuthenticated,
// NotPermitted (NEEDS_ADMIN), Unavailable (PAST_LEASE). The caller's Done must
// follow.
func (g *Gate) Admit(ctx context.Context, token session.Token, o Origin, method string) (Caller, error) {
	s, err := g.check(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	switch known := s.Snapshot(); {
	case o.Listener == account.ClientListener && s.Listener() != account.ClientListener:
		return Caller{}, account.SessionEnded()
	case known.Gone(): // ended since the check
		return Caller{}, account.SessionEnded()
	case known.Role != account.Admin:
		return Caller{}, needsAdmin(s.Caller().Username)
	}
	return Caller{Session: s, Origin: o, call: s.BeginCall(method)}, nil
}

// Need is what a client's call takes besides a good token.
type Need struct {
	Permission  account.Permission // "": nothing
	Environment string             // where, in its clean form
}

// AdmitClient lets in a client's call, as Admit does an administrator's: the
// account holds what the call needs, by what is known now (rule 3). A session of
// another listener is as good as none. Refuses: NotAuthenticated, NotPermitted
// (NEEDS_GRANT), Unavailable (PAST_LEASE). The caller's Done must follow.
func (g *Gate) AdmitClient(ctx context.Context, token session.Token, o Origin, method string, n Need) (Caller, error) {
	s, err := g.check(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	switch known := s.Snapshot(); {
	case s.Listener() != account.ClientListener:
		return Caller{}, account.SessionEnded()
	case n.Permission == "" || known.Allows(n.Environment, n.Permission):
	case known.Gone(): // ended since the check
		return Caller{}, account.SessionEnded()
	default:
		return Caller{}, account.NotPermitted(account.ReasonNeedsGrant, "'%s' has no %s in the environment '%s'",
			account.Printable(s.Caller().Username), n.Permission, account.Printable(n.Environment))
	}
	return Caller{Session: s, Origin: o, call: s.BeginCall(method)}, nil
}

func (g *Gate) check(ctx context.Context, token session.Token) (*session.Session, error) {
	s, err := g.Table.Check(token)
	if err != session.ErrPastLease {
		return s, err
	}
	if err := g.awaitLease(ctx); err != nil {
		return nil, err
	}
	return g.Table.Check(token)
}

func (g *Gate) awaitLease(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, g.LeaseWait)
	defer cancel()
	return g.Table.AwaitLease(ctx)
}

func needsAdmin(username string) error {
	return account.NotPermitted(account.ReasonNeedsAdmin,
		"'%s' is not an administrator; that takes the role ADMIN", account.Printable(username))
}

// Detach returns a context for what is carried through once it has begun,
// whatever becomes of its caller, within CallTimeout and until the host stops.
func (g *Gate) Detach(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.CallTimeout)
	stop := context.AfterFunc(g.Stopping, cancel)
	return ctx, func() { stop(); cancel() }
}

// NewRequestID returns an id that carries the host's time.
func (g *Gate) NewRequestID() account.RequestID { return account.NewRequestID(time.Now()) }
