package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of apply and plan.
var _ = add(map[string]fault{
	"apply-makes-up-passwords": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		if exists, err := u.Exists(ctx, d.Username); err == nil && !exists && !d.SetsPassword() {
			d.Password = account.Secret(rand.Text())
		}
		return u.Apply(ctx, in, d)
	})},
	"apply-takes-old-for-new": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		d.OnlyNew = false
		return u.Apply(ctx, in, d)
	})},
	"apply-resets-grants": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		if d.Grants == nil {
			d.Grants = account.Grants{}
		}
		return u.Apply(ctx, in, d)
	})},
	"apply-adds-grants": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		if a, err := u.Show(ctx, in.Caller, d.Username); err == nil && d.Grants != nil {
			for environment, permissions := range a.Grants {
				for _, p := range permissions {
					d.Grants = d.Grants.With(environment, p)
				}
			}
		}
		return u.Apply(ctx, in, d)
	})},
	"apply-in-parts": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		if exists, err := u.Exists(ctx, d.Username); err == nil && exists && d.Role != "" {
			if a, err := u.Apply(ctx, again(in), account.Desired{Username: d.Username, Role: d.Role}); err != nil {
				return a, err
			}
		}
		return u.Apply(ctx, in, d)
	})},
	"apply-sets-the-same-password": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		a, err := u.Apply(ctx, in, d)
		if err == nil && !a.Changed && d.Password != nil {
			a.Change, err = u.Password(ctx, again(in), account.Password{Username: d.Username, Password: d.Password})
			a.PasswordSet = true
		}
		return a, err
	})},
	"apply-makes-up-a-password-for-a-hash": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		if d.PasswordHash != nil {
			d.PasswordHash, d.Password = nil, account.Secret(rand.Text())
		}
		return u.Apply(ctx, in, d)
	})},
	"apply-forgets-times": {users: applying(func(ctx context.Context, u account.Users, in account.Invocation, d account.Desired) (account.Applied, error) {
		d.CreatedAt = time.Time{}
		return u.Apply(ctx, in, d)
	})},
	"plan-writes": {users: planning(func(ctx context.Context, u account.Users, who account.Caller, d account.Desired) (account.Applied, error) {
		return u.Apply(ctx, again(account.Invocation{Caller: who}), d)
	})},
	"plan-always-changes": {users: planning(func(ctx context.Context, u account.Users, who account.Caller, d account.Desired) (account.Applied, error) {
		a, err := u.Plan(ctx, who, d)
		a.Changed = true
		return a, err
	})},
})

func applying(apply func(context.Context, account.Users, account.Invocation, account.Desired) (account.Applied, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, apply: func(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
			return apply(ctx, u, in, d)
		}}
	}
}

func planning(plan func(context.Context, account.Users, account.Caller, account.Desired) (account.Applied, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, plan: func(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
			return plan(ctx, u, who, d)
		}}
	}
}
