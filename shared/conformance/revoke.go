package conformance

import "github.com/cinchapi/concourse-users/shared/account"

var revokeCases = []Case{
	{
		Name:     "revoke/takes-every-permission-in-one-environment",
		Contract: `Revoke takes away every permission in one environment, and none in another (users.proto, Revoke)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, password := p.Create("jeff", account.User)
			p.grant("jeff", "e", account.Read)
			p.grant("jeff", "e", account.Write)
			p.grant("jeff", "e_2", account.Write)
			c := p.revoke("jeff", "e")
			t.Came(c, true, "revoke in e")
			want := made
			want.Grants = account.Grants{"e_2": {account.Write}}
			t.Same(c.Account, want, "the answer to Revoke")
			t.Same(p.Show("jeff"), want, "jeff after Revoke")
			login, err := p.login("jeff", password)
			t.OK(err, "log in after Revoke")
			t.Same(login.Account, want, "the account of a login after Revoke")
			t.Came(p.revoke("jeff", "e_2"), true, "revoke the last grant")
			t.Same(p.Show("jeff"), made, "jeff without grants")
			t.Came(p.grant("jeff", "e", account.Read), true, "grant READ again")
			t.Grants(p.Show("jeff"), account.Grants{"e": {account.Read}}, "READ granted after both were revoked")
		},
	},
	{
		Name:     "revoke/nothing-is-no-change",
		Contract: `A Revoke where nothing was granted is no error, and no change (users.proto, Change.changed)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			want := p.grant("jeff", "e", account.Read).Account
			c := p.revoke("jeff", "E")
			t.Came(c, false, "revoke in an environment without grants")
			t.Same(c.Account, want, "the answer to that")
			t.Same(p.Show("jeff"), want, "jeff after that")
		},
	},
	{
		Name:     "revoke/takes-an-admin's-grants",
		Contract: `An ADMIN's grants are revoked like any others (docs/design.md, Words: grant)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.Admin)
			p.grant("jeff", "e", account.Write)
			t.Came(p.revoke("jeff", "e"), true, "revoke an ADMIN's grant")
			p.edit(account.Edit{Username: "jeff", Role: account.User})
			t.Grants(p.Show("jeff"), nil, "an ADMIN's grant, revoked, after the role was taken away")
		},
	},
	{
		Name:     "revoke/refuses-an-unknown-name",
		Contract: `Revoke refuses a name that no account has with NOT_FOUND, whose subject is the username (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Revoke(t.ctx, p.New(), account.Revoke{Username: "nobody", Environment: "e"})
			t.NotFound(err, "nobody", "revoke what nobody holds")
			p.Untouched(before, "a refused Revoke")
		},
	},
	{
		Name:     "revoke/survives-a-restart",
		Contract: `What was acknowledged survives the process: a right that was taken away does not come back (rule 1)`,
		Needs:    []string{account.CapabilityChange, account.CapabilityDurable},
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			p.grant("jeff", "e", account.Write)
			p.grant("jeff", "e_2", account.Read)
			want := p.revoke("jeff", "e").Account
			t.Same(p.KillAndRestart().Show("jeff"), want, "jeff after Revoke, SIGKILL and a new start")
		},
	},
}
