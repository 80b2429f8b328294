package thrift

import (
	"bytes"
	"context"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// mostToolCall bounds a call, in bytes, as the management socket does: what the
// plugin's connection would not take must not reach it, since whether such a change
// took effect would be unknown, and end its target's sessions.
const mostToolCall = 512 << 10

// toolsClient is the name under which tools are shown.
const toolsClient = "thrift management"

// tools answers the calls of tools that speak the original's management service.
// They are administrators, by the rules of the management socket: a session
// belongs to the connection that logged in, and ends with it.
type tools struct{ Options }

// NewManagement returns a server for the management port, which is not yet
// serving.
func NewManagement(o Options) *Server { return newServer(o, &tools{o}) }

var _ handler = (*tools)(nil)

func (*tools) lookup(name string) (*methods.Method, bool) { return methods.OfManagement(name), true }

// disconnected ends the session, wherever else its token was shown.
func (p *tools) disconnected(s *session.Session, _ bool) {
	p.Gate.Table.End(s.ID(), session.ConnectionClosed)
}

func (p *tools) answer(ctx context.Context, r *request) error {
	if len(r.message.Bytes) > mostToolCall {
		return r.fail(thrift.PROTOCOL_ERROR, "the call is longer than may be")
	}
	switch r.method.Name {
	case "login":
		return p.login(ctx, r)
	case "logout":
		return p.logout(r)
	}
	token, _, err := r.accessToken()
	if err != nil {
		return r.malformed(err)
	}
	caller, err := p.admit(ctx, r, token)
	if err != nil {
		return r.refuseTool(err, arguments{})
	}
	defer caller.Done()
	switch do := changes[r.method.Name]; {
	case do != nil:
		return p.change(ctx, r, caller, do)
	case r.method.Name == "hasUser":
		return p.hasUser(ctx, r)
	case r.method.Name == "listAllUserSessions":
		return p.listSessions(ctx, r, caller)
	}
	return r.declared(r.method.Management, "this host does not offer "+r.name+"; it belongs to the data server")
}

// admit lets in an administrator over the connection that logged in: a token
// shown elsewhere is as good as none.
func (p *tools) admit(ctx context.Context, r *request, token session.Token) (gate.Caller, error) {
	caller, err := p.Gate.Admit(ctx, token, p.origin(r), r.method.Name)
	if err == nil && !r.holds(caller.Session) {
		caller.Done()
		return gate.Caller{}, account.SessionEnded()
	}
	return caller, err
}

func (p *tools) origin(r *request) gate.Origin {
	o := r.origin
	o.Listener, o.Client = account.ManagementListener, toolsClient
	return o
}

// login opens a session, and ends the one that the connection had before.
func (p *tools) login(ctx context.Context, r *request) error {
	if len(r.message.Bytes) > mostLogin {
		return r.fail(thrift.PROTOCOL_ERROR, "the login is longer than may be")
	}
	a, err := r.arguments()
	if err != nil {
		return r.malformed(err)
	}
	login, err := p.Gate.Login(ctx, p.origin(r), a.username, a.password)
	if err != nil {
		return r.refuseLogin(err)
	}
	for _, s := range r.shown {
		p.Gate.Table.End(s.ID(), session.ConnectionClosed)
	}
	r.forgetEnded()
	r.opened(login.Session)
	return r.token(login.Token)
}

// logout ends the session of the connection.
func (p *tools) logout(r *request) error {
	token, _, err := r.accessToken()
	if err != nil {
		return r.malformed(err)
	}
	s := p.Gate.Table.Find(token) // past the lease, too
	if s == nil || !r.holds(s) || !p.Gate.Table.Logout(token) {
		return r.refuse(account.SessionEnded())
	}
	return r.void()
}

func (p *tools) hasUser(ctx context.Context, r *request) error {
	a, err := r.arguments()
	if err != nil {
		return r.malformed(err)
	}
	exists := false
	if name, bad := account.NormalizeUsername(a.username); bad == nil { // nobody has another
		if exists, err = p.Gate.Users.Exists(ctx, name); err != nil {
			return r.refuseTool(err, a)
		}
	}
	return r.value(thrift.BOOL, func(ctx context.Context, w thrift.TProtocol) error { return w.WriteBool(ctx, exists) })
}

func (p *tools) listSessions(ctx context.Context, r *request, c gate.Caller) error {
	lines, err := sessionLines(ctx, p.Gate, c, r.server.options.MaxMessage)
	if err != nil {
		return r.refuseTool(err, arguments{})
	}
	return r.value(thrift.STRING, func(ctx context.Context, w thrift.TProtocol) error { return w.WriteBinary(ctx, lines) })
}

// refuseTool answers a call that was refused: in a ManagementException, but for a
// token that is dead.
func (r *request) refuseTool(err error, a arguments) error {
	if account.KindOf(err) == account.KindNotAuthenticated {
		return r.refuse(err)
	}
	r.told(reasonOf(err))
	if account.KindOf(err) == account.KindInternal {
		r.server.options.Logger.Error("internal error", "method", r.name, "error", err)
	}
	return r.declared(r.method.Management, toolText(err, a.username, a.password))
}

// arguments are what a call gives besides its token. What it lacks is empty.
type arguments struct {
	username, role, permission, environment string
	password                                account.Secret
}

// arguments reads them, by their names in the method's signature. It refuses as
// message.Field does.
func (r *request) arguments() (a arguments, err error) {
	for _, of := range r.method.Arguments {
		var to *string
		switch of.Name {
		case "username":
			to = &a.username
		case "role":
			to = &a.role
		case "permission":
			to = &a.permission
		case "environment":
			to = &a.environment
		case "password":
		default:
			continue
		}
		text, err := r.text(of.ID)
		if err != nil {
			return arguments{}, err
		}
		if to == nil {
			a.password = bytes.Clone(text)
		} else {
			*to = string(text)
		}
	}
	return a, nil
}
