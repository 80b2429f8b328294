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

// List gives every account to emit, page by page, in the order of their names.
// An account that is made or deleted meanwhile may or may not be among them.
func (g *Gate) List(ctx context.Context, c Caller, emit func(page []account.Account, sessions func(username string) int) error) error {
	for after := ""; ; {
		page, next, err := g.Users.List(ctx, c.Session.Caller(), after)
		if err != nil {
			return err
		}
		if err := emit(page, g.Table.Count); err != nil || next == "" {
			return err
		}
		after = next
	}
}

// CheckPassword says whether a password is the account's.
func (g *Gate) CheckPassword(ctx context.Context, c Caller, r account.Password) (bool, error) {
	matches, err := g.Users.CheckPassword(ctx, c.Session.Caller(), r)
	return matches && err == nil, g.passwordChecked(c, r.Username, matches, err)
}

// Sessions gives the rows that pass the filter to emit, oldest first, in
// batches, as the plugin decides to show them.
func (g *Gate) Sessions(ctx context.Context, c Caller, f session.Filter, emit func([]account.Session) error) error {
	f, err := Normalize(f)
	if err != nil {
		return err
	}
	for rows := range g.Table.List(f) {
		shown, err := g.Users.Sessions(ctx, c.Session.Caller(), rows)
		if err != nil {
			return err
		}
		if err := emit(shown); err != nil {
			return err
		}
	}
	return nil
}

// Normalize returns the filter with its account's name in normal form.
func Normalize(f session.Filter) (session.Filter, error) {
	if f.Account == "" {
		return f, nil
	}
	name, err := account.NormalizeUsername(f.Account)
	f.Account = name
	return f, err
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
