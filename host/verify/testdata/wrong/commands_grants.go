package main

import (
	"context"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of grant, revoke, suspend and enable.
var _ = add(map[string]fault{
	"forgets-a-grant": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		c, err := u.Grant(ctx, in, r)
		if err == nil {
			_, err = u.Revoke(ctx, again(in), account.Revoke{Username: r.Username, Environment: r.Environment})
		}
		return c, err
	})},
	"grant-replaces": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		if c, err := u.Revoke(ctx, again(in), account.Revoke{Username: r.Username, Environment: r.Environment}); err != nil {
			return c, err
		}
		return u.Grant(ctx, in, r)
	})},
	"grant-always-changes": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		c, err := u.Grant(ctx, in, r)
		c.Changed = true
		return c, err
	})},
	"environments-in-any-case": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		r.Environment = strings.ToLower(r.Environment)
		return u.Grant(ctx, in, r)
	})},
	"environments-are-cleaned": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		r.Environment = account.CleanEnvironment(r.Environment)
		return u.Grant(ctx, in, r)
	})},
	"grant-to-an-admin-is-not-stored": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		c, err := u.Grant(ctx, in, r)
		if err == nil && c.Account.Role == account.Admin {
			_, err = u.Revoke(ctx, again(in), account.Revoke{Username: r.Username, Environment: r.Environment})
		}
		return c, err
	})},
	"grant-to-nobody-is-fine": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		c, err := u.Grant(ctx, in, r)
		return forgive(c, err, r.Username)
	})},
	"one-grant-too-many-is-dropped": {users: granting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Grant) (account.Change, error) {
		c, err := u.Grant(ctx, in, r)
		if account.ReasonOf(err) == account.ReasonTooManyGrants {
			a, err := u.Show(ctx, in.Caller, r.Username)
			return account.Change{Changed: true, Account: a}, err
		}
		return c, err
	})},

	"revoke-keeps-write": {users: revoking(func(ctx context.Context, u account.Users, in account.Invocation, r account.Revoke) (account.Change, error) {
		before, err := u.Show(ctx, in.Caller, r.Username)
		if err != nil {
			return account.Change{}, err
		}
		c, err := u.Revoke(ctx, in, r)
		if err == nil && before.Grants.Holds(r.Environment, account.Write) {
			_, err = u.Grant(ctx, again(in), account.Grant{Username: r.Username, Environment: r.Environment, Permission: account.Write})
		}
		return c, err
	})},
	"revoke-of-nothing-is-refused": {users: revoking(func(ctx context.Context, u account.Users, in account.Invocation, r account.Revoke) (account.Change, error) {
		c, err := u.Revoke(ctx, in, r)
		if err == nil && !c.Changed {
			return account.Change{}, account.NotFound(r.Username)
		}
		return c, err
	})},
	"revoke-spares-admins": {users: revoking(func(ctx context.Context, u account.Users, in account.Invocation, r account.Revoke) (account.Change, error) {
		a, err := u.Show(ctx, in.Caller, r.Username)
		if err == nil && a.Role == account.Admin {
			return account.Change{Changed: true, Account: a}, nil
		}
		return u.Revoke(ctx, in, r)
	})},
	"revoke-of-nobody-is-fine": {users: revoking(func(ctx context.Context, u account.Users, in account.Invocation, r account.Revoke) (account.Change, error) {
		c, err := u.Revoke(ctx, in, r)
		return forgive(c, err, r.Username)
	})},

	"suspend-is-forgotten": {users: switching(func(u account.Users, ctx context.Context, in account.Invocation, username string) (account.Change, error) {
		c, err := u.Suspend(ctx, in, username)
		if err == nil {
			_, err = u.Enable(ctx, again(in), username)
		}
		return c, err
	}, account.Users.Enable)},
	"suspend-drops-grants": {users: switching(func(u account.Users, ctx context.Context, in account.Invocation, username string) (account.Change, error) {
		if c, err := u.Suspend(ctx, in, username); err != nil {
			return c, err
		}
		a, err := u.Apply(ctx, again(in), account.Desired{Username: username, Grants: account.Grants{}})
		return a.Change, err
	}, account.Users.Enable)},
	"suspend-always-changes": {users: switching(always(account.Users.Suspend), account.Users.Enable)},
	"enable-always-changes":  {users: switching(account.Users.Suspend, always(account.Users.Enable))},
	"suspend-of-nobody-is-fine": {users: switching(func(u account.Users, ctx context.Context, in account.Invocation, username string) (account.Change, error) {
		c, err := u.Suspend(ctx, in, username)
		return forgive(c, err, username)
	}, account.Users.Enable)},
	"enable-of-nobody-is-fine": {users: switching(account.Users.Suspend, func(u account.Users, ctx context.Context, in account.Invocation, username string) (account.Change, error) {
		c, err := u.Enable(ctx, in, username)
		return forgive(c, err, username)
	})},
	"enable-is-forgotten": {users: switching(account.Users.Suspend, func(u account.Users, ctx context.Context, in account.Invocation, username string) (account.Change, error) {
		c, err := u.Enable(ctx, in, username)
		if err == nil && c.Changed {
			_, err = u.Suspend(ctx, again(in), username)
		}
		return c, err
	})},
})

func granting(grant func(context.Context, account.Users, account.Invocation, account.Grant) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, grant: func(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
			return grant(ctx, u, in, r)
		}}
	}
}

func revoking(revoke func(context.Context, account.Users, account.Invocation, account.Revoke) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, revoke: func(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
			return revoke(ctx, u, in, r)
		}}
	}
}

// onOff is Suspend or Enable, as a method expression.
type onOff = func(account.Users, context.Context, account.Invocation, string) (account.Change, error)

func switching(suspend, enable onOff) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{
			Users: u,
			suspend: func(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
				return suspend(u, ctx, in, username)
			},
			enable: func(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
				return enable(u, ctx, in, username)
			},
		}
	}
}

func always(right onOff) onOff {
	return func(u account.Users, ctx context.Context, in account.Invocation, username string) (account.Change, error) {
		c, err := right(u, ctx, in, username)
		c.Changed = true
		return c, err
	}
}
