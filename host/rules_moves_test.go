package host_test

import (
	"context"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// change is one change of the named account.
type change func(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error)

// move is a verb and its opposite. It begins with an enabled USER who may READ
// in test; create with nobody, and enable with a suspended one.
type move struct {
	verb        account.Verb
	there, back change
}

var moves = []move{
	{account.VerbCreate, createUser, deleteUser},
	{account.VerbDelete, deleteUser, createUser},
	{account.VerbEdit, setRole(account.Admin), setRole(account.User)},
	{account.VerbPassword, setPassword("another for some time"), setPassword(secret)},
	{account.VerbGrant, grant("prod"), revoke("prod")},
	{account.VerbRevoke, revoke("test"), grant("test")},
	{account.VerbSuspend, suspend, enable},
	{account.VerbEnable, enable, suspend},
}

func createUser(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
	return c.Create(ctx, id, account.Create{Username: username, Password: account.Secret(secret), Role: account.User})
}

func deleteUser(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
	return c.Delete(ctx, id, account.Delete{Username: username})
}

func suspend(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
	return c.Suspend(ctx, id, username)
}

func enable(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
	return c.Enable(ctx, id, username)
}

func setRole(r account.Role) change {
	return func(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
		return c.Edit(ctx, id, account.Edit{Username: username, Role: r})
	}
}

func setPassword(p string) change {
	return func(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
		return c.Password(ctx, id, account.Password{Username: username, Password: account.Secret(p)})
	}
}

func setBoth(r account.Role, p string) change {
	return func(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
		return c.Edit(ctx, id, account.Edit{Username: username, Role: r, Password: account.Secret(p)})
	}
}

func grant(environment string) change {
	return func(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
		return c.Grant(ctx, id, account.Grant{Username: username, Permission: account.Read, Environment: environment})
	}
}

func revoke(environment string) change {
	return func(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
		return c.Revoke(ctx, id, account.Revoke{Username: username, Environment: environment})
	}
}
