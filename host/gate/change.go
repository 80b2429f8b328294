package gate

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Result is what a change came to, as its caller sees it.
type Result struct {
	account.Change
	Sessions    int    // the account's live sessions on this host
	Environment string // of a grant or a revocation, resolved
	RequestID   account.RequestID
}

// order is one change on its way.
type order struct {
	verb        account.Verb
	target      string
	requestID   account.RequestID // zero: the host makes one
	environment string
	permission  account.Permission
	role        account.Role
	password    bool             // one is set
	decisive    bool             // of VerbApply: it says something that may end sessions
	applied     *account.Applied // of VerbApply, once it is carried out
	carryOut    func(context.Context, account.Invocation) (account.Change, error)
}

// endsSessions says whether the change ends its target's sessions, from the
// verb and the outcome alone, whatever the plugin (rule 3).
func (o *order) endsSessions(c account.Change) bool {
	switch o.verb {
	case account.VerbDelete, account.VerbSuspend, account.VerbPassword:
		return true
	case account.VerbEdit:
		return o.password || c.Changed
	case account.VerbApply:
		if o.applied == nil {
			return o.decisive
		}
		return o.applied.EndsSessions()
	}
	return false
}

// mayEndSessions says whether the change ends its target's sessions if it takes
// effect.
func (o *order) mayEndSessions() bool { return o.endsSessions(account.Change{Changed: true}) }

// Create makes an account. For its refusals and those of the other changes see
// account.Users; each also refuses with Unavailable when the plugin cannot be
// reached, and OutcomeUnknown when its answer got lost.
func (g *Gate) Create(ctx context.Context, c Caller, id account.RequestID, r account.Create) (Result, error) {
	return g.change(ctx, c, &order{
		verb: account.VerbCreate, target: r.Username, requestID: id, role: r.Role,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Create(ctx, in, r)
		},
	})
}

// Edit changes an account's role, password or both together.
func (g *Gate) Edit(ctx context.Context, c Caller, id account.RequestID, r account.Edit) (Result, error) {
	return g.change(ctx, c, &order{
		verb: account.VerbEdit, target: r.Username, requestID: id, role: r.Role, password: r.Password != nil,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Edit(ctx, in, r)
		},
	})
}

// Password sets an account's password.
func (g *Gate) Password(ctx context.Context, c Caller, id account.RequestID, r account.Password) (Result, error) {
	return g.change(ctx, c, &order{
		verb: account.VerbPassword, target: r.Username, requestID: id, password: true,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Password(ctx, in, r)
		},
	})
}

// Delete removes an account.
func (g *Gate) Delete(ctx context.Context, c Caller, id account.RequestID, r account.Delete) (Result, error) {
	return g.change(ctx, c, &order{
		verb: account.VerbDelete, target: r.Username, requestID: id,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Delete(ctx, in, r)
		},
	})
}

// Grant adds a permission, in the default environment if none is named.
func (g *Gate) Grant(ctx context.Context, c Caller, id account.RequestID, r account.Grant) (Result, error) {
	r.Environment = g.environment(r.Environment)
	return g.change(ctx, c, &order{
		verb: account.VerbGrant, target: r.Username, requestID: id, environment: r.Environment, permission: r.Permission,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Grant(ctx, in, r)
		},
	})
}

// Revoke takes away every permission in one environment, the default one if
// none is named.
func (g *Gate) Revoke(ctx context.Context, c Caller, id account.RequestID, r account.Revoke) (Result, error) {
	r.Environment = g.environment(r.Environment)
	return g.change(ctx, c, &order{
		verb: account.VerbRevoke, target: r.Username, requestID: id, environment: r.Environment,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Revoke(ctx, in, r)
		},
	})
}

// Suspend refuses an account's logins from now on.
func (g *Gate) Suspend(ctx context.Context, c Caller, id account.RequestID, username string) (Result, error) {
	return g.change(ctx, c, &order{
		verb: account.VerbSuspend, target: username, requestID: id,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Suspend(ctx, in, username)
		},
	})
}

// Enable undoes Suspend.
func (g *Gate) Enable(ctx context.Context, c Caller, id account.RequestID, username string) (Result, error) {
	return g.change(ctx, c, &order{
		verb: account.VerbEnable, target: username, requestID: id,
		carryOut: func(ctx context.Context, in account.Invocation) (account.Change, error) {
			return g.Users.Enable(ctx, in, username)
		},
	})
}

// Applied is what an Apply came to, as its caller sees it.
type Applied struct {
	account.Applied
	Sessions  int // the account's live sessions on this host
	RequestID account.RequestID
}

// Apply makes an account what d says.
func (g *Gate) Apply(ctx context.Context, c Caller, id account.RequestID, d account.Desired) (Applied, error) {
	o := &order{
		verb: account.VerbApply, target: d.Username, requestID: id, role: d.Role,
		decisive: d.Role != "" || d.Enabled != nil || d.SetsPassword(),
	}
	o.carryOut = func(ctx context.Context, in account.Invocation) (account.Change, error) {
		a, err := g.Users.Apply(ctx, in, d)
		if err == nil {
			o.applied = &a
			o.password = a.PasswordSet || a.Repeated && a.Changed && d.SetsPassword()
		}
		return a.Change, err
	}
	r, err := g.change(ctx, c, o)
	if err != nil {
		return Applied{}, err
	}
	return Applied{Applied: *o.applied, Sessions: r.Sessions, RequestID: r.RequestID}, nil
}

func (g *Gate) environment(name string) string {
	if name == "" {
		return g.DefaultEnvironment
	}
	return name
}

// change carries an order through: plugin, knowledge, sessions, audit line, in
// this order, and only then the answer. Once begun, it no longer depends on the
// caller's patience: somebody must end the sessions and write the line.
func (g *Gate) change(ctx context.Context, c Caller, o *order) (Result, error) {
	if o.requestID.IsZero() {
		o.requestID = g.NewRequestID()
	}
	name, err := account.NormalizeUsername(o.target)
	if err != nil {
		g.changeRefused(c, o, account.Printable(o.target), err)
		return Result{}, err
	}
	if err := g.auditable(); err != nil {
		return Result{}, err
	}
	ctx, cancel := g.Detach(ctx)
	defer cancel()
	in := account.Invocation{RequestID: o.requestID, Caller: c.Session.Caller(), Host: g.Host}
	change, err := g.carryOut(ctx, o, in)
	if err != nil {
		if o.mayEndSessions() && account.KindOf(err).Uncertain() {
			g.Table.Revoke(name)
		}
		g.changeRefused(c, o, name, err)
		return Result{}, err
	}
	if change.Outlived() {
		g.Table.RevokeAccount(name, change.Account.ID)
	} else {
		g.Table.Apply(change.Snapshot())
		if o.endsSessions(change) {
			if g.halfway != nil {
				g.halfway(ctx)
			}
			g.Table.Revoke(name)
		}
	}
	if g.PasswordChanged != nil && (o.password || o.verb == account.VerbDelete) {
		g.PasswordChanged(name)
	}
	if err := g.changed(c, o, name, change); err != nil {
		return Result{}, err
	}
	return Result{
		Change: change, Sessions: g.Table.Count(name),
		Environment: o.environment, RequestID: o.requestID,
	}, nil
}

// carryOut asks the plugin. If something panics on the way, nobody can say whether
// the change was carried out.
func (g *Gate) carryOut(ctx context.Context, o *order, in account.Invocation) (change account.Change, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.Logger.Error("panic while a change was carried out", "type", fmt.Sprintf("%T", p), "request_id", in.RequestID)
			err = account.OutcomeUnknown(in.RequestID)
		}
	}()
	return o.carryOut(ctx, in)
}
