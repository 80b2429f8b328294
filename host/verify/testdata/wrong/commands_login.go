package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of logins.
var _ = add(map[string]fault{
	"unknown-user-is-not-found":      {users: unknownAnswers(func(c account.Credentials) error { return account.NotFound(c.Username) })},
	"unknown-user-at-once":           {users: unknownAnswers(func(account.Credentials) error { return account.NotAuthenticated() })},
	"suspended-logs-in":              {users: suspendedLogsIn},
	"suspended-before-password":      {users: suspendedBeforePassword},
	"passwords-are-cut":              {users: passwordsBecome(func(s account.Secret) account.Secret { return s[:min(len(s), 72)] })},
	"overlong-passwords-are-cut":     {users: passwordsBecome(func(s account.Secret) account.Secret { return s[:min(len(s), account.MaxPassword)] })},
	"passwords-lose-what-is-no-text": {users: passwordsBecome(func(s account.Secret) account.Secret { return account.Secret(strings.ToValidUTF8(string(s), "")) })},
	"probe-is-a-login": {users: func(u account.Users) account.Users {
		return &altered{Users: u, authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
			c.Probe = false
			return u.Authenticate(ctx, c)
		}}
	}},
	"refused-login-counts": {users: func(u account.Users) account.Users {
		var tried sync.Map
		return &altered{
			Users: u,
			authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
				tried.Store(c.Username, time.Now())
				return u.Authenticate(ctx, c)
			},
			show: func(ctx context.Context, who account.Caller, username string) (account.Account, error) {
				a, err := u.Show(ctx, who, username)
				if at, ok := tried.Load(username); ok {
					a.LastLoginAt = at.(time.Time)
				}
				return a, err
			},
		}
	}},
	"names-in-any-case": {users: func(u account.Users) account.Users {
		return &altered{Users: u, authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
			c.Username = strings.ToLower(c.Username)
			return u.Authenticate(ctx, c)
		}}
	}},
	"login-forgets-grants": {users: func(u account.Users) account.Users {
		return &altered{Users: u, authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
			l, err := u.Authenticate(ctx, c)
			l.Account.Grants = nil
			return l, err
		}}
	}},
	"clients-do-not-log-in": {users: func(u account.Users) account.Users {
		return &altered{Users: u, authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
			if l, err := u.Authenticate(ctx, c); err != nil || c.Listener == account.ManagementListener {
				return l, err
			}
			return account.Login{}, account.NotAuthenticated()
		}}
	}},
})

func unknownAnswers(answer func(account.Credentials) error) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
			if exists, err := u.Exists(ctx, c.Username); err == nil && !exists {
				return account.Login{}, answer(c)
			}
			return u.Authenticate(ctx, c)
		}}
	}
}

func suspendedLogsIn(u account.Users) account.Users {
	a := &altered{Users: u}
	a.authenticate = func(ctx context.Context, c account.Credentials) (account.Login, error) {
		l, err := u.Authenticate(ctx, c)
		if account.ReasonOf(err) == account.ReasonSuspended {
			l.Account, err = u.Show(ctx, a.asAdmin().Caller, c.Username)
		}
		return l, err
	}
	return a
}

func suspendedBeforePassword(u account.Users) account.Users {
	a := &altered{Users: u}
	a.authenticate = func(ctx context.Context, c account.Credentials) (account.Login, error) {
		l, err := u.Authenticate(ctx, c)
		if account.KindOf(err) == account.KindNotAuthenticated {
			if found, missing := u.Show(ctx, a.asAdmin().Caller, c.Username); missing == nil && !found.Enabled {
				return l, account.NotPermitted(account.ReasonSuspended, "the account is suspended")
			}
		}
		return l, err
	}
	return a
}

func passwordsBecome(alter func(account.Secret) account.Secret) func(account.Users) account.Users {
	keep := func(s account.Secret) account.Secret {
		if s == nil {
			return nil
		}
		return alter(s)
	}
	return func(u account.Users) account.Users {
		return &altered{
			Users: u,
			authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
				c.Password = keep(c.Password)
				return u.Authenticate(ctx, c)
			},
			create: func(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
				r.Password = keep(r.Password)
				return u.Create(ctx, in, r)
			},
			edit: func(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
				r.Password = keep(r.Password)
				return u.Edit(ctx, in, r)
			},
			password: func(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
				r.Password = keep(r.Password)
				return u.Password(ctx, in, r)
			},
		}
	}
}
