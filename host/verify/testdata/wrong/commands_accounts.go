package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of create, edit, password and delete.
var _ = add(map[string]fault{
	"create-makes-admins": {users: creating(func(ctx context.Context, u account.Users, in account.Invocation, r account.Create) (account.Change, error) {
		r.Role = account.Admin
		return u.Create(ctx, in, r)
	})},
	"create-overwrites": {users: creating(func(ctx context.Context, u account.Users, in account.Invocation, r account.Create) (account.Change, error) {
		c, err := u.Create(ctx, in, r)
		if account.KindOf(err) == account.KindAlreadyExists {
			return u.Edit(ctx, again(in), account.Edit{Username: r.Username, Role: r.Role, Password: r.Password})
		}
		return c, err
	})},
	"if-not-exists-overwrites": {users: creating(func(ctx context.Context, u account.Users, in account.Invocation, r account.Create) (account.Change, error) {
		c, err := u.Create(ctx, in, r)
		if err == nil && r.IfNotExists && !c.Changed {
			_, err = u.Password(ctx, again(in), account.Password{Username: r.Username, Password: r.Password})
		}
		return c, err
	})},
	"names-as-typed": {users: creating(func(ctx context.Context, u account.Users, in account.Invocation, r account.Create) (account.Change, error) {
		c, err := u.Create(ctx, in, r)
		c.Account.Username = r.Username
		return c, err
	})},
	"reuses-account-ids":      {store: func(s users.Store) users.Store { return &reusing{Store: s, ids: map[string]any{}} }},
	"grants-outlive-deletion": {users: grantsOutliveDeletion},

	"edit-in-two-changes": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		if r.Role != "" && r.Password != nil {
			if c, err := u.Edit(ctx, again(in), account.Edit{Username: r.Username, Role: r.Role}); err != nil {
				return c, err
			}
		}
		return u.Edit(ctx, in, r)
	})},
	"edit-forgets-the-password": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		if r.Role != "" {
			r.Password = nil
		}
		return u.Edit(ctx, in, r)
	})},
	"edit-of-a-password-demotes": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		if r.Role == "" {
			r.Role = account.User
		}
		return u.Edit(ctx, in, r)
	})},
	"edit-of-a-role-revokes": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		c, err := u.Edit(ctx, in, r)
		if err == nil && r.Role != "" {
			_, err = u.Revoke(ctx, again(in), account.Revoke{Username: r.Username, Environment: "e"})
		}
		return c, err
	})},
	"edit-always-changes": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		c, err := u.Edit(ctx, in, r)
		c.Changed = true
		return c, err
	})},
	"edit-of-nobody-is-fine": {users: editing(func(ctx context.Context, u account.Users, in account.Invocation, r account.Edit) (account.Change, error) {
		c, err := u.Edit(ctx, in, r)
		return forgive(c, err, r.Username)
	})},

	"password-is-another": {users: passwords(func(ctx context.Context, u account.Users, in account.Invocation, r account.Password) (account.Change, error) {
		r.Password = account.Secret(rand.Text())
		return u.Password(ctx, in, r)
	})},
	"password-enables": {users: passwords(func(ctx context.Context, u account.Users, in account.Invocation, r account.Password) (account.Change, error) {
		if c, err := u.Password(ctx, in, r); err != nil {
			return c, err
		}
		return u.Enable(ctx, again(in), r.Username)
	})},
	"same-password-is-no-change": {users: passwords(func(ctx context.Context, u account.Users, in account.Invocation, r account.Password) (account.Change, error) {
		if same, err := u.CheckPassword(ctx, in.Caller, r); err == nil && same {
			a, err := u.Show(ctx, in.Caller, r.Username)
			return account.Change{Account: a}, err
		}
		return u.Password(ctx, in, r)
	})},
	"password-makes-an-account": {users: passwords(func(ctx context.Context, u account.Users, in account.Invocation, r account.Password) (account.Change, error) {
		c, err := u.Password(ctx, in, r)
		if account.KindOf(err) == account.KindNotFound {
			return u.Create(ctx, again(in), account.Create{Username: r.Username, Password: r.Password, Role: account.User})
		}
		return c, err
	})},

	"delete-only-suspends": {users: deleting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Delete) (account.Change, error) {
		c, err := u.Suspend(ctx, in, r.Username)
		c.Gone = true
		return c, err
	})},
	"delete-of-nobody-is-fine": {users: deleting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Delete) (account.Change, error) {
		r.IfExists = true
		return u.Delete(ctx, in, r)
	})},
	"delete-if-exists-is-refused": {users: deleting(func(ctx context.Context, u account.Users, in account.Invocation, r account.Delete) (account.Change, error) {
		r.IfExists = false
		return u.Delete(ctx, in, r)
	})},
})

func creating(create func(context.Context, account.Users, account.Invocation, account.Create) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, create: func(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
			return create(ctx, u, in, r)
		}}
	}
}

func editing(edit func(context.Context, account.Users, account.Invocation, account.Edit) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, edit: func(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
			return edit(ctx, u, in, r)
		}}
	}
}

func passwords(password func(context.Context, account.Users, account.Invocation, account.Password) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, password: func(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
			return password(ctx, u, in, r)
		}}
	}
}

func deleting(remove func(context.Context, account.Users, account.Invocation, account.Delete) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, delete: func(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
			return remove(ctx, u, in, r)
		}}
	}
}

// forgive makes a success of "no such account".
func forgive(c account.Change, err error, username string) (account.Change, error) {
	if account.KindOf(err) == account.KindNotFound {
		return account.Change{Account: account.Account{Username: username, ID: "none", Role: account.User}}, nil
	}
	return c, err
}

func grantsOutliveDeletion(u account.Users) account.Users {
	var kept sync.Map
	return &altered{
		Users: u,
		grant: func(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
			c, err := u.Grant(ctx, in, r)
			kept.Store(r.Username, c.Account.Grants)
			return c, err
		},
		create: func(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
			c, err := u.Create(ctx, in, r)
			if grants, ok := kept.Load(r.Username); ok && err == nil {
				a, err := u.Apply(ctx, again(in), account.Desired{Username: r.Username, Grants: grants.(account.Grants)})
				return a.Change, err
			}
			return c, err
		},
	}
}

// reusing gives a new account the id that its name had last.
type reusing struct {
	users.Store
	mu  sync.Mutex // guards ids
	ids map[string]any
}

func (s *reusing) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	return s.Store.Update(ctx, func(tx users.Tx) error { return fn(reusingTx{tx, s}) })
}

type reusingTx struct {
	users.Tx
	s *reusing
}

func (tx reusingTx) Put(k users.Key, value []byte) error {
	if k.Space != users.Accounts {
		return tx.Tx.Put(k, value)
	}
	var fields map[string]any
	if err := json.Unmarshal(value, &fields); err != nil {
		return err
	}
	tx.s.mu.Lock()
	defer tx.s.mu.Unlock()
	if id, ok := tx.s.ids[k.Name]; ok {
		fields["id"] = id
	}
	tx.s.ids[k.Name] = fields["id"]
	value, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return tx.Tx.Put(k, value)
}
