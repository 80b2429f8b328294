package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of what happens when a process or a call ends.
var _ = add(map[string]fault{
	"makes-a-store-of-its-own": {users: func(u account.Users) account.Users {
		return &altered{Users: u, configure: func(ctx context.Context, c account.Configuration) (account.Description, error) {
			d, err := u.Configure(ctx, c)
			if account.KindOf(err) != account.KindUnavailable {
				return d, err
			}
			c.Home = filepath.Join(c.Home, "own")
			if err := os.MkdirAll(c.Home, 0o700); err != nil {
				return d, err
			}
			return u.Configure(ctx, c)
		}}
	}},
	"edits-by-halves": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		if r.Role == "" || r.Password == nil {
			return u.Edit(ctx, in, r)
		}
		if c, err := u.Edit(context.WithoutCancel(ctx), again(in), account.Edit{Username: r.Username, Role: r.Role}); err != nil {
			return c, err
		}
		select {
		case <-ctx.Done():
			return account.Change{}, ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
		return u.Edit(ctx, in, r)
	})},
	"records-no-cancelled-change": {store: func(s users.Store) users.Store { return unrecorded{s} }},
	"keeps-the-place-of-a-cancelled-call": {users: func(u account.Users) account.Users {
		places := make(chan struct{}, 4)
		return &altered{Users: u, authenticate: func(ctx context.Context, c account.Credentials) (account.Login, error) {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return account.Login{}, ctx.Err()
			}
			l, err := u.Authenticate(ctx, c)
			if ctx.Err() == nil {
				<-places
			}
			return l, err
		}}
	}},

	"recovers-only-the-password": {users: recovering(func(ctx context.Context, u *around, r account.Recovery) (account.Change, error) {
		c, err := u.Password(ctx, account.Invocation{RequestID: r.RequestID, Caller: u.administrator(), Host: r.Host}, account.Password{Username: r.Username, Password: r.Password})
		return c, err
	})},
	"recovers-anew-at-a-repeat": {users: recovering(func(ctx context.Context, u *around, r account.Recovery) (account.Change, error) {
		r.RequestID = again(account.Invocation{}).RequestID
		return u.Users.Recover(ctx, r)
	})},
	"names-no-admins": {users: recovering(func(ctx context.Context, u *around, r account.Recovery) (account.Change, error) {
		c, err := u.Users.Recover(ctx, r)
		if account.KindOf(err) == account.KindNotFound {
			err = account.NotFound(r.Username)
		}
		return c, err
	})},
})

// unrecorded writes no request record if the caller has gone.
type unrecorded struct{ users.Store }

func (s unrecorded) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
		return s.Store.Update(ctx, fn)
	}
	return s.Store.Update(context.WithoutCancel(ctx), func(tx users.Tx) error { return fn(recordless{tx}) })
}

type recordless struct{ users.Tx }

func (r recordless) Put(k users.Key, value []byte) error {
	if k.Space == users.Requests {
		return nil
	}
	return r.Tx.Put(k, value)
}

type recovers struct {
	*around
	recover func(context.Context, *around, account.Recovery) (account.Change, error)
}

func recovering(f func(context.Context, *around, account.Recovery) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users { return recovers{&around{Users: u}, f} }
}

func (r recovers) Recover(ctx context.Context, what account.Recovery) (account.Change, error) {
	return r.recover(ctx, r.around, what)
}
