package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of the guards and of callers' rights.
var _ = add(map[string]fault{
	"has-no-guard":            {store: writing(func(tx users.Tx) users.Tx { return unguarded{tx} })},
	"counts-suspended-admins": {store: writing(func(tx users.Tx) users.Tx { return &recounting{Tx: tx} })},
	"counts-deleted-admins":   {store: writing(func(tx users.Tx) users.Tx { return &keepingCount{Tx: tx} })},
	"refuses-by-half": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		c, err := u.Edit(ctx, in, r)
		if account.ReasonOf(err) == account.ReasonLastAdmin && r.Password != nil {
			u.Password(ctx, again(in), account.Password{Username: r.Username, Password: r.Password})
		}
		return c, err
	})},
	"lets-callers-suspend-themselves": {users: suspendsItself},
	"hides-refusals": {users: func(u account.Users) account.Users {
		return doing(func(ctx context.Context, in account.Invocation, _ account.Verb, target string, carry carry) (account.Change, error) {
			c, err := carry(ctx, in)
			if account.KindOf(err) == account.KindRefused {
				c.Account, err = u.Show(ctx, in.Caller, target)
			}
			return c, err
		})(u)
	}},

	"checks-no-caller": {users: func(u account.Users) account.Users {
		a := &around{Users: u}
		a.reads = func(context.Context, account.Caller) account.Caller { return a.administrator() }
		a.do = callers(a.reads)
		return a
	}},
	"lets-users-read": {users: func(u account.Users) account.Users {
		a := &around{Users: u}
		a.reads = func(context.Context, account.Caller) account.Caller { return a.administrator() }
		return a
	}},
	"takes-any-generation": {users: func(u account.Users) account.Users {
		return mistaking(u, func(who *account.Caller, is account.Account) { who.Generation = is.Generation })
	}},
	"takes-the-next-account-of-the-name": {users: func(u account.Users) account.Users {
		return mistaking(u, func(who *account.Caller, is account.Account) {
			if who.AccountID != is.ID {
				who.AccountID, who.Generation = is.ID, is.Generation
			}
		})
	}},
	"checks-rights-only-at-the-beginning": {users: func(u account.Users) account.Users {
		a := &around{Users: u}
		a.do = func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
			if admin := a.administrator(); in.Caller != admin && in.Caller.Username != admin.Username {
				if _, err := u.Show(ctx, in.Caller, in.Caller.Username); err != nil {
					return account.Change{}, err
				}
				time.Sleep(300 * time.Millisecond)
				in.Caller = admin
			}
			return carry(ctx, in)
		}
		return a
	}},
})

// callers is what has mutations made by another caller.
func callers(by func(context.Context, account.Caller) account.Caller) func(context.Context, account.Invocation, account.Verb, string, carry) (account.Change, error) {
	return func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
		in.Caller = by(ctx, in.Caller)
		return carry(ctx, in)
	}
}

// mistaking takes a caller for the account that has the name now.
func mistaking(u account.Users, mistake func(who *account.Caller, is account.Account)) account.Users {
	a := &around{Users: u}
	a.reads = func(ctx context.Context, who account.Caller) account.Caller {
		if is, err := u.Show(ctx, a.administrator(), who.Username); err == nil {
			mistake(&who, is)
		}
		return who
	}
	a.do = callers(a.reads)
	return a
}

// suspendsItself has the newest other ADMIN suspend whoever suspends itself.
func suspendsItself(u account.Users) account.Users {
	var mu sync.Mutex
	var others []account.Caller
	a := &around{Users: u}
	a.do = func(ctx context.Context, in account.Invocation, verb account.Verb, target string, carry carry) (account.Change, error) {
		c, err := carry(ctx, in)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && verb == account.VerbCreate && c.Account.Role == account.Admin {
			others = append(others, account.Caller{Username: c.Account.Username, AccountID: c.Account.ID, Generation: c.Account.Generation})
		}
		if account.ReasonOf(err) == account.ReasonSelfSuspend && len(others) > 0 {
			in.Caller = others[len(others)-1]
			return carry(ctx, in)
		}
		return c, err
	}
	return a
}

var adminsKey = users.Key{Space: users.Meta, Name: "admins"}

// unguarded finds many enabled ADMINs.
type unguarded struct{ users.Tx }

func (u unguarded) Get(k users.Key) ([]byte, error) {
	if k == adminsKey {
		return []byte("100"), nil
	}
	return u.Tx.Get(k)
}

// keptAccount is what these faults know of an account's value.
type keptAccount struct {
	Generation uint64          `json:"generation"`
	Role       account.Role    `json:"role"`
	Enabled    bool            `json:"enabled"`
	Grants     json.RawMessage `json:"grants"`
}

func keptIn(value []byte) (a keptAccount) {
	json.Unmarshal(value, &a)
	return a
}

// recounting counts ADMINs, suspended or not.
type recounting struct {
	users.Tx
	was []byte // the counter
}

func (r *recounting) Get(k users.Key) ([]byte, error) {
	value, err := r.Tx.Get(k)
	if k == adminsKey {
		r.was = value
	}
	return value, err
}

func (r *recounting) Put(k users.Key, value []byte) error {
	if k.Space == users.Accounts && r.was != nil {
		before, err := r.Tx.Get(k)
		if err != nil {
			return err
		}
		if before != nil && keptIn(before).Role == keptIn(value).Role {
			if err := r.Tx.Put(adminsKey, r.was); err != nil {
				return err
			}
		}
	}
	return r.Tx.Put(k, value)
}

// keepingCount lowers the counter for no deletion.
type keepingCount struct {
	users.Tx
	was []byte
}

func (c *keepingCount) Get(k users.Key) ([]byte, error) {
	value, err := c.Tx.Get(k)
	if k == adminsKey {
		c.was = value
	}
	return value, err
}

func (c *keepingCount) Delete(k users.Key) error {
	if k.Space == users.Accounts && c.was != nil {
		if err := c.Put(adminsKey, c.was); err != nil {
			return err
		}
	}
	return c.Tx.Delete(k)
}
