package conformance

import "github.com/cinchapi/concourse-users/shared/account"

var suspendCases = []Case{
	{
		Name:     "suspend/refuses-logins",
		Contract: `Suspend refuses the account's logins from now on, and changes nothing else of it (users.proto, Suspend)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			want := p.grant("jeff", "e", account.Write).Account
			c := p.suspend("jeff")
			t.Came(c, true, "suspend jeff")
			want.Enabled, want.Generation = false, c.Account.Generation
			t.Same(c.Account, want, "the answer to Suspend")
			t.Same(p.Show("jeff"), want, "jeff, suspended")
			_, err := p.login("jeff", password)
			t.Refused(err, account.KindNotPermitted, account.ReasonSuspended, "log in as jeff, suspended")
		},
	},
	{
		Name:     "suspend/twice-is-no-change",
		Contract: `To suspend a suspended account is no error, and no change (users.proto, Change.changed)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			want := p.suspend("jeff").Account
			c := p.suspend("jeff")
			t.Came(c, false, "suspend jeff again")
			t.Same(c.Account, want, "the answer to suspending jeff again")
			t.Same(p.Show("jeff"), want, "jeff after that")
		},
	},
	{
		Name:     "suspend/refuses-an-unknown-name",
		Contract: `Suspend refuses a name that no account has with NOT_FOUND, whose subject is the username (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Suspend(t.ctx, p.New(), "nobody")
			t.NotFound(err, "nobody", "suspend nobody")
			p.Untouched(before, "a refused Suspend")
		},
	},
}
