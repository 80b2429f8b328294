package supervisor

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// A Supervisor is account.Users but for Configure, which is its own to call.
var _ account.Users = struct {
	*Supervisor
	configurer
}{}

type configurer interface {
	Configure(context.Context, account.Configuration) (account.Description, error)
}

// mutate forwards one change of the named account.
func mutate[R any](ctx context.Context, s *Supervisor, verb account.Verb, target string, in account.Invocation, r R,
	method func(account.Users, context.Context, account.Invocation, R) (account.Change, error)) (account.Change, error) {
	c, err := forward(ctx, s, account.CapabilityChange, in.RequestID, func(ctx context.Context, u account.Users) (account.Change, error) {
		return method(u, ctx, in, r)
	})
	if err == nil {
		err = s.badChange(verb, in.RequestID, checkChange(target, c))
	}
	if err != nil {
		return account.Change{}, err
	}
	return c, nil
}

// read forwards a call that changes nothing and may be repeated at will.
func read[R, A any](ctx context.Context, s *Supervisor, capability string, who account.Caller, asked R,
	method func(account.Users, context.Context, account.Caller, R) (A, error)) (A, error) {
	return forward(ctx, s, capability, account.RequestID{}, func(ctx context.Context, u account.Users) (A, error) {
		return method(u, ctx, who, asked)
	})
}

// Create forwards.
func (s *Supervisor) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return mutate(ctx, s, account.VerbCreate, r.Username, in, r, account.Users.Create)
}

// Edit forwards.
func (s *Supervisor) Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return mutate(ctx, s, account.VerbEdit, r.Username, in, r, account.Users.Edit)
}

// Password forwards.
func (s *Supervisor) Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return mutate(ctx, s, account.VerbPassword, r.Username, in, r, account.Users.Password)
}

// Delete forwards.
func (s *Supervisor) Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return mutate(ctx, s, account.VerbDelete, r.Username, in, r, account.Users.Delete)
}

// Grant forwards.
func (s *Supervisor) Grant(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	return mutate(ctx, s, account.VerbGrant, r.Username, in, r, account.Users.Grant)
}

// Revoke forwards.
func (s *Supervisor) Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return mutate(ctx, s, account.VerbRevoke, r.Username, in, r, account.Users.Revoke)
}

// Suspend forwards.
func (s *Supervisor) Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return mutate(ctx, s, account.VerbSuspend, username, in, username, account.Users.Suspend)
}

// Enable forwards.
func (s *Supervisor) Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return mutate(ctx, s, account.VerbEnable, username, in, username, account.Users.Enable)
}

// Apply forwards.
func (s *Supervisor) Apply(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	a, err := forward(ctx, s, account.CapabilityApply, in.RequestID, func(ctx context.Context, u account.Users) (account.Applied, error) {
		return u.Apply(ctx, in, d)
	})
	if err == nil {
		err = s.badChange(account.VerbApply, in.RequestID, checkApplied(d.Username, a))
	}
	if err != nil {
		return account.Applied{}, err
	}
	return a, nil
}

// Plan forwards.
func (s *Supervisor) Plan(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
	a, err := read(ctx, s, account.CapabilityApply, who, d, account.Users.Plan)
	if err == nil {
		err = s.bad("plan", checkApplied(d.Username, a))
	}
	if err != nil {
		return account.Applied{}, err
	}
	return a, nil
}

// Recover forwards.
func (s *Supervisor) Recover(ctx context.Context, r account.Recovery) (account.Change, error) {
	c, err := forward(ctx, s, account.CapabilityRecover, r.RequestID, func(ctx context.Context, u account.Users) (account.Change, error) {
		return u.Recover(ctx, r)
	})
	if err == nil {
		err = s.badChange(account.VerbRecover, r.RequestID, checkChange(r.Username, c))
	}
	if err != nil {
		return account.Change{}, err
	}
	return c, nil
}

// Authenticate forwards.
func (s *Supervisor) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	l, err := forward(ctx, s, everyPlugin, account.RequestID{}, func(ctx context.Context, u account.Users) (account.Login, error) {
		return u.Authenticate(ctx, c)
	})
	if err == nil {
		err = s.bad("authenticate", checkAccount(c.Username, l.Account))
	}
	if err != nil {
		return account.Login{}, err
	}
	return l, nil
}

// Exists forwards.
func (s *Supervisor) Exists(ctx context.Context, username string) (bool, error) {
	return forward(ctx, s, everyPlugin, account.RequestID{}, func(ctx context.Context, u account.Users) (bool, error) {
		return u.Exists(ctx, username)
	})
}

// Show forwards.
func (s *Supervisor) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	a, err := read(ctx, s, everyPlugin, who, username, account.Users.Show)
	if err == nil {
		err = s.bad("show", checkAccount(username, a))
	}
	if err != nil {
		return account.Account{}, err
	}
	return a, nil
}

type page[T, K any] struct {
	items []T
	next  K
}

// List forwards.
func (s *Supervisor) List(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
	p, err := forward(ctx, s, everyPlugin, account.RequestID{}, func(ctx context.Context, u account.Users) (p page[account.Account, string], err error) {
		p.items, p.next, err = u.List(ctx, who, after)
		return p, err
	})
	if err == nil {
		err = s.bad("list", checkList(after, p.items, p.next))
	}
	if err != nil {
		return nil, "", err
	}
	return p.items, p.next, nil
}

// Export forwards.
func (s *Supervisor) Export(ctx context.Context, who account.Caller, after string) ([]account.Exported, string, error) {
	p, err := forward(ctx, s, account.CapabilityExport, account.RequestID{}, func(ctx context.Context, u account.Users) (p page[account.Exported, string], err error) {
		p.items, p.next, err = u.Export(ctx, who, after)
		return p, err
	})
	if err == nil {
		accounts := make([]account.Account, len(p.items))
		for i, e := range p.items {
			accounts[i] = e.Account
		}
		err = s.bad("export", checkList(after, accounts, p.next))
	}
	if err != nil {
		return nil, "", err
	}
	return p.items, p.next, nil
}

// CheckPassword forwards.
func (s *Supervisor) CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
	return read(ctx, s, everyPlugin, who, r, account.Users.CheckPassword)
}

// Sessions forwards. The rows that it returns take the place of those given.
func (s *Supervisor) Sessions(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
	shown, err := read(ctx, s, everyPlugin, who, rows, account.Users.Sessions)
	if err != nil {
		return nil, err
	}
	shown, err = annotated(rows, shown)
	return shown, s.bad("sessions", err)
}

// Records forwards.
func (s *Supervisor) Records(ctx context.Context, after account.RequestID) ([]account.Record, account.RequestID, error) {
	p, err := forward(ctx, s, everyPlugin, account.RequestID{}, func(ctx context.Context, u account.Users) (p page[account.Record, account.RequestID], err error) {
		p.items, p.next, err = u.Records(ctx, after)
		return p, err
	})
	if err == nil {
		err = s.bad("records", checkRecords(after, p.items, p.next))
	}
	if err != nil {
		return nil, account.RequestID{}, err
	}
	return p.items, p.next, nil
}

// Initialize forwards.
func (s *Supervisor) Initialize(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
	return forward(ctx, s, account.CapabilityChange, first.RequestID, func(ctx context.Context, u account.Users) (account.Initialized, error) {
		return u.Initialize(ctx, first)
	})
}
