package main

import (
	"context"
	"sync"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// around is a right backend whose mutations go through do, and whose reads are
// by the caller that reads makes of theirs.
type around struct {
	account.Users
	do    func(ctx context.Context, in account.Invocation, verb account.Verb, target string, carry carry) (account.Change, error)
	reads func(ctx context.Context, who account.Caller) account.Caller

	mu    sync.Mutex // guards admin
	admin account.Caller
}

// carry carries one mutation out.
type carry func(ctx context.Context, in account.Invocation) (account.Change, error)

// administrator is the account that logged in first, as it was then.
func (a *around) administrator() account.Caller {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.admin
}

func (a *around) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	l, err := a.Users.Authenticate(ctx, c)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil && a.admin.AccountID == "" {
		a.admin = account.Caller{Username: l.Account.Username, AccountID: l.Account.ID, Generation: l.Account.Generation}
	}
	return l, err
}

func (a *around) through(ctx context.Context, in account.Invocation, verb account.Verb, target string, carry carry) (account.Change, error) {
	if a.do == nil {
		return carry(ctx, in)
	}
	return a.do(ctx, in, verb, target, carry)
}

func (a *around) by(ctx context.Context, who account.Caller) account.Caller {
	if a.reads == nil {
		return who
	}
	return a.reads(ctx, who)
}

func (a *around) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return a.through(ctx, in, account.VerbCreate, r.Username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Create(ctx, in, r)
	})
}

func (a *around) Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return a.through(ctx, in, account.VerbEdit, r.Username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Edit(ctx, in, r)
	})
}

func (a *around) Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return a.through(ctx, in, account.VerbPassword, r.Username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Password(ctx, in, r)
	})
}

func (a *around) Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return a.through(ctx, in, account.VerbDelete, r.Username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Delete(ctx, in, r)
	})
}

func (a *around) Grant(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	return a.through(ctx, in, account.VerbGrant, r.Username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Grant(ctx, in, r)
	})
}

func (a *around) Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return a.through(ctx, in, account.VerbRevoke, r.Username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Revoke(ctx, in, r)
	})
}

func (a *around) Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return a.through(ctx, in, account.VerbSuspend, username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Suspend(ctx, in, username)
	})
}

func (a *around) Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return a.through(ctx, in, account.VerbEnable, username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		return a.Users.Enable(ctx, in, username)
	})
}

func (a *around) Apply(ctx context.Context, in account.Invocation, d account.Desired) (applied account.Applied, err error) {
	c, err := a.through(ctx, in, account.VerbApply, d.Username, func(ctx context.Context, in account.Invocation) (account.Change, error) {
		applied, err = a.Users.Apply(ctx, in, d)
		return applied.Change, err
	})
	applied.Change = c
	return applied, err
}

func (a *around) Plan(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
	return a.Users.Plan(ctx, a.by(ctx, who), d)
}

func (a *around) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	return a.Users.Show(ctx, a.by(ctx, who), username)
}

func (a *around) List(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
	return a.Users.List(ctx, a.by(ctx, who), after)
}

func (a *around) Export(ctx context.Context, who account.Caller, after string) ([]account.Exported, string, error) {
	return a.Users.Export(ctx, a.by(ctx, who), after)
}

func (a *around) CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
	return a.Users.CheckPassword(ctx, a.by(ctx, who), r)
}

func (a *around) Sessions(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
	return a.Users.Sessions(ctx, a.by(ctx, who), rows)
}

// wrapped is a right store whose transactions write through wrap, and read in
// views through see. It can be replaced if the right one can.
type wrapped struct {
	users.Store
	users.Replacer
	wrap func(users.Tx) users.Tx
	see  func(users.Reader) users.Reader
}

func (w wrapped) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	if w.wrap == nil {
		return w.Store.Update(ctx, fn)
	}
	return w.Store.Update(ctx, func(tx users.Tx) error { return fn(w.wrap(tx)) })
}

func (w wrapped) View(ctx context.Context, fn func(users.Reader) error) error {
	if w.see == nil {
		return w.Store.View(ctx, fn)
	}
	return w.Store.View(ctx, func(r users.Reader) error { return fn(w.see(r)) })
}

// writing is a fault of what is written.
func writing(wrap func(users.Tx) users.Tx) func(users.Store) users.Store {
	return func(s users.Store) users.Store { return wrapped{Store: s, Replacer: s.(users.Replacer), wrap: wrap} }
}
