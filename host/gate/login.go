package gate

import (
	"context"
	"errors"
	"net"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Login is an accepted login: a live session and its token.
type Login struct {
	*session.Session
	Token session.Token
}

// maxRepeats bounds how often a login that changes keep overtaking asks the
// plugin again.
const maxRepeats = 5

// Login checks credentials and opens a session; on the management listener
// only for an ADMIN. Refuses: NotAuthenticated, NotPermitted (SUSPENDED,
// NEEDS_ADMIN), Throttled, Unavailable.
func (g *Gate) Login(ctx context.Context, o Origin, username string, password account.Secret) (Login, error) {
	l, err := g.tryLogin(ctx, o, username, password)
	if g.LoginEnded != nil {
		g.LoginEnded(o.Listener, err)
	}
	return l, err
}

func (g *Gate) tryLogin(ctx context.Context, o Origin, username string, password account.Secret) (Login, error) {
	name, nameErr := account.NormalizeUsername(username)
	if nameErr != nil {
		// No account can have it; the plugin still takes its time (rule 9).
		name = ""
	}
	if len(password) > account.MaxPassword {
		password = nil // no account has it; and whoever waits keeps little waiting with it
	}
	if err := g.auditable(); err != nil {
		return Login{}, err
	}
	if err := g.awaitLease(ctx); err != nil { // keeps nobody out of a place meanwhile
		g.loginRefused(ctx, o, name, err)
		return Login{}, err
	}
	done, err := g.Throttle.Allow(ctx, name, o.source(), o.Listener)
	if err != nil {
		g.loginRefused(ctx, o, name, err)
		return Login{}, err
	}
	login, err := g.decide(ctx, o, name, password, done)
	if err != nil {
		g.loginRefused(ctx, o, name, err)
		return Login{}, err
	}
	if err := g.loggedIn(o, login); err != nil {
		g.Close(login)
		return Login{}, account.Unavailable("the login could not be written to the audit log; see the host's log")
	}
	return login, nil
}

// decide makes the login, within CallTimeout, and tells the throttle how it
// ended, even by a panic.
func (g *Gate) decide(ctx context.Context, o Origin, name string, password account.Secret, done func(throttle.Outcome)) (login Login, err error) {
	ended := throttle.Undecided
	defer func() { done(ended) }()
	ctx, cancel := context.WithTimeout(ctx, g.CallTimeout)
	defer cancel()
	login, err = g.login(ctx, o, name, password)
	ended = outcome(err)
	return login, err
}

func (g *Gate) login(ctx context.Context, o Origin, name string, password account.Secret) (Login, error) {
	credentials := account.Credentials{Username: name, Password: password, Listener: o.Listener}
	details := session.Details{
		RemoteAddress: o.RemoteAddress, Client: o.Client, Listener: o.Listener, Environment: o.Environment, OnEnd: g.SessionEnded,
	}
	under := g.Table.Begin(name)
	defer under.Abandon()
	for range maxRepeats {
		if err := g.awaitLease(ctx); err != nil {
			return Login{}, err
		}
		read, err := g.Users.Authenticate(ctx, credentials)
		if err != nil {
			return Login{}, err
		}
		if o.Listener == account.ManagementListener && read.Account.Role != account.Admin {
			return Login{}, needsAdmin(name)
		}
		token, s, err := under.Complete(read.Account.Snapshot(read.Revision), details)
		switch {
		case errors.Is(err, session.ErrRepeat), errors.Is(err, session.ErrPastLease):
			continue
		case err != nil:
			return Login{}, err
		}
		s.OpenConnection()
		return Login{Session: s, Token: token}, nil
	}
	return Login{}, account.Unavailable("the account '%s' is being changed again and again; try again in a moment", account.Printable(name))
}

// outcome says what a login means to the throttle: a right password clears the
// name even if its account may not come in.
func outcome(err error) throttle.Outcome {
	switch account.KindOf(err) {
	case account.KindNotAuthenticated:
		return throttle.Failed
	case 0, account.KindNotPermitted:
		return throttle.Succeeded
	}
	return throttle.Undecided
}

// Close ends a login's session with its connection, if nothing ended it before.
func (g *Gate) Close(l Login) { g.Table.End(l.ID(), session.ConnectionClosed) }

// host returns an address without its port.
func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
