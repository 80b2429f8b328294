package conformance

import "github.com/cinchapi/concourse-users/shared/account"

var enableCases = []Case{
	{
		Name:     "enable/undoes-suspend",
		Contract: `Enable undoes Suspend: the account logs in again, with the password, role and grants that it had (users.proto, Enable)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			want := p.grant("jeff", "e", account.Read).Account
			p.suspend("jeff")
			c := p.enable("jeff")
			t.Came(c, true, "enable jeff")
			want.Generation = c.Account.Generation
			t.Same(c.Account, want, "the answer to Enable")
			t.Same(p.Show("jeff"), want, "jeff, enabled")
			p.Login("jeff", password)
		},
	},
	{
		Name:     "enable/twice-is-no-change",
		Contract: `To enable an enabled account is no error, and no change (users.proto, Change.changed)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			want, _ := p.Create("jeff", account.User)
			c := p.enable("jeff")
			t.Came(c, false, "enable an enabled account")
			t.Same(c.Account, want, "the answer to enabling an enabled account")
			t.Same(p.Show("jeff"), want, "jeff after that")
		},
	},
	{
		Name:     "enable/refuses-an-unknown-name",
		Contract: `Enable refuses a name that no account has with NOT_FOUND, whose subject is the username (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Enable(t.ctx, p.New(), "nobody")
			t.NotFound(err, "nobody", "enable nobody")
			p.Untouched(before, "a refused Enable")
		},
	},
}
