package conformance

import (
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

var showCases = []Case{
	{
		Name:     "show/returns-the-account",
		Contract: `Show returns one account: its id, generation, name, role, state and grants (users.proto, Show; account.proto, Account)`,
		run: func(t *T) {
			p := t.Open()
			a := p.Show(p.admin.Username)
			if a.Username != p.Admin.Username || a.ID != p.Admin.AccountID || a.Generation != p.Admin.Generation || a.Role != account.Admin || !a.Enabled {
				t.Errorf("the administrator is shown as %+v; the login said id %s, generation %d", a, p.Admin.AccountID, p.Admin.Generation)
			}
			t.Same(p.Show(p.admin.Username), a, "the administrator shown again")
		},
	},
	{
		Name:     "show/follows-every-change",
		Contract: `A read sees every change that was answered before it (docs/design.md, The Store: View)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, _ := p.Create("jeff", account.User)
			t.Same(p.Show("jeff"), made, "jeff, created")
			t.Same(p.Show("jeff"), p.Show("jeff"), "jeff shown twice")
			for _, change := range []struct {
				what string
				do   func() account.Change
			}{
				{"granted READ", func() account.Change { return p.grant("jeff", "e", account.Read) }},
				{"granted WRITE", func() account.Change { return p.grant("jeff", "e", account.Write) }},
				{"made ADMIN", func() account.Change { return p.edit(account.Edit{Username: "jeff", Role: account.Admin}) }},
				{"suspended", func() account.Change { return p.suspend("jeff") }},
				{"given a password", func() account.Change { return p.password("jeff", NewPassword()) }},
				{"enabled", func() account.Change { return p.enable("jeff") }},
				{"revoked", func() account.Change { return p.revoke("jeff", "e") }},
			} {
				c := change.do()
				t.Came(c, true, "jeff, %s", change.what)
				t.Same(p.Show("jeff"), c.Account, "jeff, %s", change.what)
			}
		},
	},
	{
		Name:     "show/refuses-an-unknown-name",
		Contract: `Show refuses a name that no account has with NOT_FOUND, whose subject is the username (users.proto)`,
		run: func(t *T) {
			p := t.Open()
			_, err := p.Users.Show(t.ctx, p.Admin, "nobody-at-all")
			t.NotFound(err, "nobody-at-all", "show nobody")
		},
	},
	{
		Name:     "show/exists-says-whether",
		Contract: `Exists says whether an account has the name; a name that no account can have is no error (users.proto, Exists)`,
		run: func(t *T) {
			p := t.Open()
			for _, ask := range []struct {
				what, name string
				want       bool
			}{
				{"the administrator", p.admin.Username, true},
				{"nobody", "nobody-at-all", false},
				{"an empty name", "", false},
				{"a name with a line feed", "no\nname", false},
				{"a name of 256 bytes", strings.Repeat("n", account.MaxUsername+1), false},
			} {
				exists, err := p.Users.Exists(t.ctx, ask.name)
				t.OK(err, "ask whether %s exists", ask.what)
				if exists != ask.want {
					t.Errorf("whether %s exists is answered with %t, want %t", ask.what, exists, ask.want)
				}
			}
		},
	},
}
