package thrift

import (
	"context"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// noUpstream says why a call that is good cannot be answered.
const noUpstream = "this host has no data server behind it: the setting upstream.address is empty"

// clients answers the calls of Concourse's drivers.
type clients struct{ Options }

// NewClients returns a server for the client port, which is not yet serving.
func NewClients(o Options) *Server { return newServer(o, &clients{o}) }

func (*clients) lookup(name string) (*methods.Method, bool) { return methods.Lookup(name) }

func (p *clients) disconnected(s *session.Session, last bool) {
	if last && p.Relay != nil {
		p.Relay.Disconnected(s)
	}
}

func (p *clients) answer(ctx context.Context, r *request) error {
	if r.method.Service == "core" {
		switch r.method.Name {
		case "login":
			return p.login(ctx, r)
		case "logout":
			return p.logout(r)
		case "invokeManagement":
			return p.invokeManagement(ctx, r)
		}
	}
	return p.pass(ctx, r)
}

// pass passes on a call that the gate lets in, and that the upstream reads as it
// was read here.
func (p *clients) pass(ctx context.Context, r *request) error {
	if err := r.method.Check(r.message); err != nil {
		return r.malformed(err)
	}
	call := &relay.Call{Method: r.method, Message: r.message, Reply: r.conn}
	if r.method.Access != methods.Open {
		caller, answered, err := p.admit(ctx, r, call)
		if answered || err != nil {
			return err
		}
		defer caller.Done()
	}
	if p.Relay == nil {
		r.told(Away)
		return r.fail(thrift.INTERNAL_ERROR, noUpstream)
	}
	r.watch.relay.Store(call)
	err := p.Relay.Relay(ctx, call)
	switch {
	case err == nil:
		return nil
	case account.KindOf(err) == account.KindNotAuthenticated && (call.Session == nil || !call.Session.Ended()):
		err = account.Unavailable("the data server refuses this host") // the caller's token lives
	}
	return r.refuse(err)
}

// admit has the gate decide about a call, and fills in what the relay asks of
// it. If the call was refused, the refusal has gone out.
func (p *clients) admit(ctx context.Context, r *request, call *relay.Call) (caller gate.Caller, answered bool, err error) {
	token, at, err := r.accessToken()
	if err != nil {
		return caller, true, r.malformed(err)
	}
	if r.method.Transaction != 0 {
		if call.Transaction, err = r.message.Field(r.method.Transaction, thrift.STRUCT); err != nil {
			return caller, true, r.malformed(err)
		}
	}
	env, err := r.environment()
	if err != nil {
		return caller, true, r.malformed(err)
	}
	permission := needed(r.method)
	unnamed := !env.named && r.method.Access != methods.Token
	need := gate.Need{Permission: permission, Environment: env.name}
	if unnamed || env.problem != "" {
		need = gate.Need{} // a dead token is told first
	}
	caller, err = p.Gate.AdmitClient(ctx, token, r.origin, r.method.Name, need)
	switch {
	case account.KindOf(err) == account.KindNotPermitted:
		r.known(token)
		return caller, true, r.refuse(err)
	case err != nil:
		return caller, true, r.refuse(err)
	}
	if err := r.trust(caller.Session); err != nil {
		caller.Done()
		return caller, true, r.refuse(err)
	}
	switch {
	case unnamed:
		caller.Done()
		return caller, true, r.noEnvironment()
	case env.problem != "":
		caller.Done()
		r.told(MissingPermission)
		return caller, true, r.notPermitted(insufficientPermission + ": " + env.problem)
	}
	call.Session, call.Token, call.Environment, call.Defaulted = caller.Session, at, env.name, env.defaulted
	return caller, false, nil
}

// known trusts the connection of a live token whose call was refused, if there is
// room: the call used nothing of the session.
func (r *request) known(t session.Token) {
	if s, err := r.server.options.Gate.Table.Check(t); err == nil {
		r.trust(s)
	}
}

// needed returns the permission that a method takes. The original lets stage
// into any environment.
func needed(m *methods.Method) account.Permission {
	switch {
	case m.Access == methods.Write:
		return account.Write
	case m.Access == methods.Read, m.Service == "core" && m.Name == "stage":
		return account.Read
	}
	return ""
}

var _ handler = (*clients)(nil)
