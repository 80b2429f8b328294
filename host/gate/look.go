package gate

import (
	"context"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Show returns an account and the number of its sessions here.
func (g *Gate) Show(ctx context.Context, c Caller, username string) (account.Account, int, error) {
	a, err := g.Users.Show(ctx, c.Session.Caller(), username)
	if err != nil {
		return account.Account{}, 0, err
	}
	return a, g.Table.Count(a.Username), nil
}

// List gives every account that passes the filter to emit, page by page, in the
// order of their names. An account that is made or deleted meanwhile may or may
// not be among them. Refuses: Invalid.
func (g *Gate) List(ctx context.Context, c Caller, f AccountFilter, emit func(page []account.Account, sessions func(username string) int) error) error {
	if err := f.check(); err != nil {
		return err
	}
	for after := ""; ; {
		page, next, err := g.Users.List(ctx, c.Session.Caller(), after)
		if err != nil {
			return err
		}
		if chosen := f.of(page); len(chosen) > 0 {
			err = emit(chosen, g.Table.Count)
		}
		if err != nil || next == "" {
			return err
		}
		after = next
	}
}

// Export gives every account with its password hash to emit. The line in the
// audit log comes first: no hash leaves without one.
func (g *Gate) Export(ctx context.Context, c Caller, emit func([]account.Exported) error) error {
	for after, begun := "", false; ; begun = true {
		page, next, err := g.Users.Export(ctx, c.Session.Caller(), after)
		if !begun {
			err = g.exported(c, err)
		}
		if err != nil {
			return err
		}
		if err := emit(page); err != nil || next == "" {
			return err
		}
		after = next
	}
}

// Plan says what Apply would come to. With a password it answers whether that
// is the account's, which the audit log tells as a check of it.
func (g *Gate) Plan(ctx context.Context, c Caller, d account.Desired) (account.Applied, error) {
	a, err := g.Users.Plan(ctx, c.Session.Caller(), d)
	if d.Password != nil {
		err = g.passwordChecked(c, d.Username, err == nil && !a.PasswordSet, err)
	}
	if err != nil {
		return account.Applied{}, err
	}
	return a, nil
}

// CheckPassword says whether a password is the account's.
func (g *Gate) CheckPassword(ctx context.Context, c Caller, r account.Password) (bool, error) {
	matches, err := g.Users.CheckPassword(ctx, c.Session.Caller(), r)
	return matches && err == nil, g.passwordChecked(c, r.Username, matches, err)
}

// DisconnectAccount ends an account's sessions, and leaves the account alone.
// Refuses: Invalid, NotFound.
func (g *Gate) DisconnectAccount(ctx context.Context, c Caller, username string) (ended int, err error) {
	name, err := account.NormalizeUsername(username)
	if err != nil {
		return 0, err
	}
	if ended = g.Table.Disconnect(name); ended == 0 {
		var exists bool
		if exists, err = g.Users.Exists(ctx, name); err == nil && !exists {
			err = account.NotFound(name)
		}
	}
	return ended, g.disconnected(c, name, ended, err)
}

// DisconnectSession ends one session. Refuses: NotFound.
func (g *Gate) DisconnectSession(_ context.Context, c Caller, id string) (ended int, err error) {
	if g.Table.End(id, session.Disconnected) {
		ended = 1
	} else {
		err = &account.Error{
			Kind: account.KindNotFound, Subject: id,
			Message: "there is no session '" + account.Printable(id) + "'; 'concourse users sessions' lists the live ones",
		}
	}
	return ended, g.disconnected(c, account.Printable(id), ended, err)
}
