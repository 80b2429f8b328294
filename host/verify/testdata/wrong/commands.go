package main

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of a backend's start.
var _ = add(map[string]fault{
	"says-no-version": {users: func(u account.Users) account.Users {
		return described(u, func(d *account.Description) { d.Version = "" })
	}},
	"new-store-id-at-each-start": {users: func(u account.Users) account.Users {
		return described(u, func(d *account.Description) { d.StoreID = rand.Text() })
	}},
	"does-more-than-it-declares": {users: func(u account.Users) account.Users {
		return described(u, func(d *account.Description) {
			d.Capabilities = slices.DeleteFunc(d.Capabilities, func(c string) bool { return c == account.CapabilityExport })
		})
	}},
	"cannot-change": {users: func(u account.Users) account.Users {
		return described(u, func(d *account.Description) { d.Capabilities = nil })
	}},
	"ignores-unknown-settings": {users: func(u account.Users) account.Users {
		return &altered{Users: u, configure: func(ctx context.Context, c account.Configuration) (account.Description, error) {
			c.Settings = maps.Clone(c.Settings)
			maps.DeleteFunc(c.Settings, func(k, _ string) bool { return k != "fault" })
			return u.Configure(ctx, c)
		}}
	}},
	"configures-twice": {users: func(u account.Users) account.Users {
		var first *account.Description
		return &altered{Users: u, configure: func(ctx context.Context, c account.Configuration) (account.Description, error) {
			if first != nil {
				return *first, nil
			}
			d, err := u.Configure(ctx, c)
			if err == nil {
				first = &d
			}
			return d, err
		}}
	}},
	"second-initialize-overwrites": {users: func(u account.Users) account.Users {
		return &altered{Users: u, initialize: func(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
			done, err := u.Initialize(ctx, first)
			if err == nil && !done.Changed {
				u.Recover(ctx, account.Recovery{Username: first.Username, Password: first.Password, RequestID: again(account.Invocation{}).RequestID})
			}
			return done, err
		}}
	}},
	"initialize-knows-no-repeat": {users: func(u account.Users) account.Users {
		var made bool
		return &altered{Users: u, initialize: func(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
			done, err := u.Initialize(ctx, first)
			done.Changed = done.Changed && !made
			made = made || done.Changed
			return done, err
		}}
	}},
	"initialize-takes-an-empty-password": {users: func(u account.Users) account.Users {
		return &altered{Users: u, initialize: func(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
			if len(first.Password) == 0 {
				first.Password = account.Secret("admin")
			}
			return u.Initialize(ctx, first)
		}}
	}},
	"initialize-wants-a-long-password": {users: func(u account.Users) account.Users {
		return &altered{Users: u, initialize: func(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
			if len(first.Password) < 8 {
				return account.Initialized{}, account.Invalid("password", "a password must have at least 8 characters")
			}
			return u.Initialize(ctx, first)
		}}
	}},
	"initialize-makes-a-user": {users: func(u account.Users) account.Users {
		return &altered{Users: u, authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
			l, err := u.Authenticate(ctx, c)
			l.Account.Role = account.User
			return l, err
		}}
	}},
})

func described(u account.Users, alter func(*account.Description)) account.Users {
	return &altered{Users: u, configure: func(ctx context.Context, c account.Configuration) (account.Description, error) {
		d, err := u.Configure(ctx, c)
		alter(&d)
		return d, err
	}}
}
