package thrift

import (
	"bytes"
	"context"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/shared/account"
)

// logout ends the token's session.
func (p *clients) logout(r *request) error {
	token, _, err := r.accessToken()
	if err != nil {
		return r.malformed(err)
	}
	s := p.Gate.Table.Find(token) // past the lease, too
	if s == nil || s.Listener() != account.ClientListener || !p.Gate.Table.Logout(token) {
		return r.refuse(account.SessionEnded())
	}
	return r.void()
}

// The names under which clients are shown.
const (
	bareClient        = "thrift"
	multiplexedClient = "thrift multiplexed"
)

// mostLogin bounds, in bytes, what a login that waits for its turn holds on to,
// and every message of a connection that has shown no good token. A name, a
// password and an environment have 2 KiB.
const mostLogin = 16 << 10

// login opens a session.
func (p *clients) login(ctx context.Context, r *request) error {
	if len(r.message.Bytes) > mostLogin {
		return r.fail(thrift.PROTOCOL_ERROR, "the login is longer than may be")
	}
	username, err := r.text(1)
	if err != nil {
		return r.malformed(err)
	}
	password, err := r.text(2)
	if err != nil {
		return r.malformed(err)
	}
	env, err := r.environment()
	switch {
	case err != nil:
		return r.malformed(err)
	case env.problem != "":
		return r.declared(r.method.Security, env.problem)
	}
	if p.Relay != nil && p.Relay.IsOwn(username, r.message.SeqID) {
		return r.fail(thrift.INTERNAL_ERROR, relay.Itself)
	}
	if !r.roomForSession() {
		return r.refuseLogin(errCrowded)
	}
	o := r.origin
	o.Listener, o.Environment, o.Client = account.ClientListener, env.name, bareClient
	if r.multiplexed {
		o.Client = multiplexedClient
	}
	login, err := p.Gate.Login(ctx, o, string(username), bytes.Clone(password))
	if err != nil {
		return r.refuseLogin(err)
	}
	r.opened(login.Session)
	if err := r.token(login.Token); err != nil {
		p.Gate.Close(login) // whose token nobody has
		return err
	}
	return nil
}
