package conformance

import "github.com/cinchapi/concourse-users/shared/account"

var grantCases = []Case{
	{
		Name:     "grant/is-kept",
		Contract: `Grant adds one permission in one environment (users.proto, Grant)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, password := p.Create("jeff", account.User)
			c := p.grant("jeff", "production", account.Read)
			t.Came(c, true, "grant READ in production")
			want := made
			want.Grants = account.Grants{"production": {account.Read}}
			t.Same(c.Account, want, "the answer to a grant")
			t.Same(p.Show("jeff"), want, "jeff after a grant")
			login, err := p.login("jeff", password)
			t.OK(err, "log in after a grant")
			t.Same(login.Account, want, "the account of a login after a grant")
		},
	},
	{
		Name:     "grant/takes-nothing-away",
		Contract: `Grants add up: granting READ to a holder of WRITE takes nothing away, nor does WRITE to a holder of READ (users.proto, Grant)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			both := account.Grants{"e": {account.Read, account.Write}}
			for username, order := range map[string][]account.Permission{
				"writer": {account.Write, account.Read}, "reader": {account.Read, account.Write},
			} {
				p.Create(username, account.User)
				p.grant(username, "e", order[0])
				c := p.grant(username, "e", order[1])
				t.Came(c, true, "grant %s to a holder of %s", order[1], order[0])
				t.Grants(c.Account, both, "the answer to granting %s to a holder of %s", order[1], order[0])
				t.Grants(p.Show(username), both, "%s granted to a holder of %s", order[1], order[0])
			}
		},
	},
	{
		Name:     "grant/twice-is-no-change",
		Contract: `A grant that is held already is no error, and no change (users.proto, Change.changed)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			want := p.grant("jeff", "e", account.Write).Account
			c := p.grant("jeff", "e", account.Write)
			t.Came(c, false, "grant WRITE to a holder of WRITE")
			t.Same(c.Account, want, "the answer to a grant that is held")
			t.Same(p.Show("jeff"), want, "jeff after that")
		},
	},
	{
		Name:     "grant/stays-in-its-environment",
		Contract: `A grant is one permission in one environment, held by one account: environments are independent of each other, and their names are case-sensitive (account.proto, Grant)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			p.Create("jeffrey", account.User)
			p.grant("jeff", "e", account.Read)
			p.grant("jeff", "E", account.Write)
			p.grant("jeff", "e_2", account.Write)
			p.grant("jeffrey", "e", account.Write)
			t.Grants(p.Show("jeff"), account.Grants{"e": {account.Read}, "E": {account.Write}, "e_2": {account.Write}}, "grants in three environments")
			t.Grants(p.Show("jeffrey"), account.Grants{"e": {account.Write}}, "a grant to another account")
			t.Grants(p.Show(p.admin.Username), nil, "no grant to the administrator")
		},
	},
	{
		Name:     "grant/to-an-admin-counts-again-as-a-user",
		Contract: `An ADMIN's grants are stored and shown like any others; they count again when the role is taken away (docs/design.md, Words: grant)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.Admin)
			c := p.grant("jeff", "e", account.Write)
			t.Came(c, true, "grant WRITE to an ADMIN")
			want := account.Grants{"e": {account.Write}}
			t.Grants(p.Show("jeff"), want, "an ADMIN's grant")
			p.edit(account.Edit{Username: "jeff", Role: account.User})
			t.Grants(p.Show("jeff"), want, "the grant of an ADMIN that is a USER now")
			login, err := p.login("jeff", password)
			t.OK(err, "log in as jeff")
			t.Grants(login.Account, want, "the login of an ADMIN that is a USER now")
		},
	},
	{
		Name:     "grant/outlives-other-changes",
		Contract: `A grant is taken away by Revoke, Delete and Apply only: passwords, roles and states leave it alone (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			p.grant("jeff", "e", account.Read)
			want := account.Grants{"e": {account.Read}}
			p.suspend("jeff")
			t.Grants(p.Show("jeff"), want, "a grant after Suspend")
			p.password("jeff", NewPassword())
			t.Grants(p.Show("jeff"), want, "a grant after Password")
			p.edit(account.Edit{Username: "jeff", Role: account.Admin, Password: NewPassword()})
			t.Grants(p.Show("jeff"), want, "a grant after Edit")
			p.enable("jeff")
			t.Grants(p.Show("jeff"), want, "a grant after Enable")
		},
	},
	{
		Name:     "grant/refuses-an-unknown-name",
		Contract: `Grant refuses a name that no account has with NOT_FOUND, whose subject is the username (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Grant(t.ctx, p.New(), account.Grant{Username: "nobody", Permission: account.Read, Environment: "e"})
			t.NotFound(err, "nobody", "grant READ to nobody")
			p.Untouched(before, "a refused Grant")
		},
	},
	{
		Name:     "grant/refuses-too-many-environments",
		Contract: `Account.grants has at most 1024 environments: one more is refused with FAILED_PRECONDITION, reason TOO_MANY_GRANTS (account.proto; users.proto)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			full := environments(account.MaxEnvironments, account.Read)
			p.apply(account.Desired{Username: "jeff", Grants: full})
			before := p.holdings()
			_, err := p.Users.Grant(t.ctx, p.New(), account.Grant{Username: "jeff", Permission: account.Read, Environment: "one_more"})
			t.Refused(err, account.KindRefused, account.ReasonTooManyGrants, "grant READ in environment %d", account.MaxEnvironments+1)
			p.Untouched(before, "a refused Grant")
			c := p.grant("jeff", environment(0), account.Write)
			t.Came(c, true, "grant WRITE in one of the %d environments", account.MaxEnvironments)
		},
	},
}
