package conformance

import "github.com/cinchapi/concourse-users/shared/account"

var editCases = []Case{
	{
		Name:     "edit/changes-the-role-alone",
		Contract: `EditRequest.role changes the role; an absent password is kept, and so is all else (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			want := p.grant("jeff", "e", account.Read).Account
			for _, role := range []account.Role{account.Admin, account.User} {
				c := p.edit(account.Edit{Username: "jeff", Role: role})
				t.Came(c, true, "make jeff %s", role)
				want.Role, want.Generation = role, c.Account.Generation
				t.Same(c.Account, want, "the answer to making jeff %s", role)
				t.Same(p.Show("jeff"), want, "jeff, made %s", role)
				p.Login("jeff", password)
			}
		},
	},
	{
		Name:     "edit/changes-the-password-alone",
		Contract: `EditRequest.password changes the password; an unspecified role is kept, and so is all else (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, old := p.Create("jeff", account.Admin)
			password := NewPassword()
			c := p.edit(account.Edit{Username: "jeff", Password: password})
			t.Came(c, true, "set jeff's password")
			if a := p.Show("jeff"); a.Role != made.Role || !a.Enabled || a.ID != made.ID {
				t.Errorf("after an edit of the password the account is %+v, want the enabled ADMIN that it was", a)
			}
			p.Login("jeff", password)
			_, err := p.login("jeff", old)
			t.Refused(err, account.KindNotAuthenticated, "", "log in with the password before the edit")
		},
	},
	{
		Name:     "edit/changes-both-together",
		Contract: `Edit changes role, password or both together, in one transaction (users.proto, Edit; rule 6)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, old := p.Create("jeff", account.User)
			password := NewPassword()
			c := p.edit(account.Edit{Username: "jeff", Role: account.Admin, Password: password})
			t.Came(c, true, "make jeff ADMIN and set the password")
			t.Same(p.Show("jeff"), c.Account, "jeff after that")
			login, err := p.login("jeff", password)
			t.OK(err, "log in with the new password")
			if login.Account.Role != account.Admin {
				t.Errorf("the role is %s, want ADMIN", login.Account.Role)
			}
			_, err = p.login("jeff", old)
			t.Refused(err, account.KindNotAuthenticated, "", "log in with the password before the edit")
		},
	},
	{
		Name:     "edit/changes-both-or-nothing",
		Contract: `An edit is atomic: with a password that is refused, the role given with it stays as it was (rule 6)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			before := p.holdings()
			long := passwordOf(account.MaxPassword + 1)
			_, err := p.Users.Edit(t.ctx, p.New(), account.Edit{Username: "jeff", Role: account.Admin, Password: long})
			t.RefusedField(err, "password", "make jeff ADMIN with a password of %d bytes", len(long))
			p.Untouched(before, "a refused Edit")
			p.Login("jeff", password)
		},
	},
	{
		Name:     "edit/changes-nothing-that-is-so-already",
		Contract: `An edit to the role that the account has changes nothing and raises no generation (users.proto, Change.changed; account.proto, Account.generation)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, password := p.Create("jeff", account.User)
			c := p.edit(account.Edit{Username: "jeff", Role: account.User})
			t.Came(c, false, "make a USER a USER")
			t.Same(c.Account, made, "the answer to making a USER a USER")
			t.Same(p.Show("jeff"), made, "jeff after that")
			p.Login("jeff", password)
		},
	},
	{
		Name:     "edit/refuses-an-unknown-name",
		Contract: `Edit refuses a name that no account has with NOT_FOUND, whose subject is the username (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Edit(t.ctx, p.New(), account.Edit{Username: "nobody", Role: account.Admin})
			t.NotFound(err, "nobody", "edit nobody's role")
			_, err = p.Users.Edit(t.ctx, p.New(), account.Edit{Username: "nobody", Password: NewPassword()})
			t.NotFound(err, "nobody", "edit nobody's password")
			p.Untouched(before, "a refused Edit")
		},
	},
}
