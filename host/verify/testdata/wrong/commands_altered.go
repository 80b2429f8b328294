package main

import (
	"context"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// altered is a right backend but for the methods that are given.
type altered struct {
	account.Users
	configure     func(context.Context, account.Configuration) (account.Description, error)
	initialize    func(context.Context, account.FirstAdministrator) (account.Initialized, error)
	authenticate  func(context.Context, account.Credentials) (account.Login, error)
	exists        func(context.Context, string) (bool, error)
	create        func(context.Context, account.Invocation, account.Create) (account.Change, error)
	edit          func(context.Context, account.Invocation, account.Edit) (account.Change, error)
	password      func(context.Context, account.Invocation, account.Password) (account.Change, error)
	delete        func(context.Context, account.Invocation, account.Delete) (account.Change, error)
	grant         func(context.Context, account.Invocation, account.Grant) (account.Change, error)
	revoke        func(context.Context, account.Invocation, account.Revoke) (account.Change, error)
	suspend       func(context.Context, account.Invocation, string) (account.Change, error)
	enable        func(context.Context, account.Invocation, string) (account.Change, error)
	apply         func(context.Context, account.Invocation, account.Desired) (account.Applied, error)
	plan          func(context.Context, account.Caller, account.Desired) (account.Applied, error)
	show          func(context.Context, account.Caller, string) (account.Account, error)
	list          func(context.Context, account.Caller, string) ([]account.Account, string, error)
	export        func(context.Context, account.Caller, string) ([]account.Exported, string, error)
	checkPassword func(context.Context, account.Caller, account.Password) (bool, error)
	sessions      func(context.Context, account.Caller, []account.Session) ([]account.Session, error)

	mu    sync.Mutex // guards admin
	admin account.Caller
}

// again is the same invocation as another request.
func again(in account.Invocation) account.Invocation {
	in.RequestID = account.NewRequestID(time.Now())
	return in
}

// asAdmin is an invocation of the caller that was seen last.
func (a *altered) asAdmin() account.Invocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return again(account.Invocation{Caller: a.admin})
}

// saw keeps the first caller: every case begins with the administrator's calls.
func (a *altered) saw(who account.Caller) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.admin == (account.Caller{}) {
		a.admin = who
	}
}

func (a *altered) Configure(ctx context.Context, c account.Configuration) (account.Description, error) {
	if a.configure != nil {
		return a.configure(ctx, c)
	}
	return a.Users.Configure(ctx, c)
}

func (a *altered) Initialize(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
	if a.initialize != nil {
		return a.initialize(ctx, first)
	}
	return a.Users.Initialize(ctx, first)
}

func (a *altered) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	if a.authenticate != nil {
		return a.authenticate(ctx, c)
	}
	return a.Users.Authenticate(ctx, c)
}

func (a *altered) Exists(ctx context.Context, username string) (bool, error) {
	if a.exists != nil {
		return a.exists(ctx, username)
	}
	return a.Users.Exists(ctx, username)
}

func (a *altered) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	a.saw(in.Caller)
	if a.create != nil {
		return a.create(ctx, in, r)
	}
	return a.Users.Create(ctx, in, r)
}

func (a *altered) Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	a.saw(in.Caller)
	if a.edit != nil {
		return a.edit(ctx, in, r)
	}
	return a.Users.Edit(ctx, in, r)
}

func (a *altered) Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	a.saw(in.Caller)
	if a.password != nil {
		return a.password(ctx, in, r)
	}
	return a.Users.Password(ctx, in, r)
}

func (a *altered) Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	a.saw(in.Caller)
	if a.delete != nil {
		return a.delete(ctx, in, r)
	}
	return a.Users.Delete(ctx, in, r)
}

func (a *altered) Grant(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	a.saw(in.Caller)
	if a.grant != nil {
		return a.grant(ctx, in, r)
	}
	return a.Users.Grant(ctx, in, r)
}

func (a *altered) Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	a.saw(in.Caller)
	if a.revoke != nil {
		return a.revoke(ctx, in, r)
	}
	return a.Users.Revoke(ctx, in, r)
}

func (a *altered) Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	a.saw(in.Caller)
	if a.suspend != nil {
		return a.suspend(ctx, in, username)
	}
	return a.Users.Suspend(ctx, in, username)
}

func (a *altered) Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	a.saw(in.Caller)
	if a.enable != nil {
		return a.enable(ctx, in, username)
	}
	return a.Users.Enable(ctx, in, username)
}

func (a *altered) Apply(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	a.saw(in.Caller)
	if a.apply != nil {
		return a.apply(ctx, in, d)
	}
	return a.Users.Apply(ctx, in, d)
}

func (a *altered) Plan(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
	if a.plan != nil {
		return a.plan(ctx, who, d)
	}
	return a.Users.Plan(ctx, who, d)
}

func (a *altered) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	if a.show != nil {
		return a.show(ctx, who, username)
	}
	return a.Users.Show(ctx, who, username)
}

func (a *altered) List(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
	if a.list != nil {
		return a.list(ctx, who, after)
	}
	return a.Users.List(ctx, who, after)
}

func (a *altered) Export(ctx context.Context, who account.Caller, after string) ([]account.Exported, string, error) {
	if a.export != nil {
		return a.export(ctx, who, after)
	}
	return a.Users.Export(ctx, who, after)
}

func (a *altered) CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
	if a.checkPassword != nil {
		return a.checkPassword(ctx, who, r)
	}
	return a.Users.CheckPassword(ctx, who, r)
}

func (a *altered) Sessions(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
	if a.sessions != nil {
		return a.sessions(ctx, who, rows)
	}
	return a.Users.Sessions(ctx, who, rows)
}
