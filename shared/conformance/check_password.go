package conformance

import "github.com/cinchapi/concourse-users/shared/account"

var checkPasswordCases = []Case{
	{
		Name:     "check-password/says-whether-it-matches",
		Contract: `CheckPassword says whether a password is the account's (users.proto, CheckPassword)`,
		run: func(t *T) {
			p := t.Open()
			p.checksPassword(p.admin.Username, p.admin.Password, true)
			p.checksPassword(p.admin.Username, NewPassword(), false)
			p.checksPassword(p.admin.Username, account.Secret{}, false)
			_, err := p.Users.CheckPassword(t.ctx, p.Admin, account.Password{Username: "nobody-at-all", Password: NewPassword()})
			t.NotFound(err, "nobody-at-all", "check nobody's password")
		},
	},
	{
		Name:     "check-password/changes-nothing",
		Contract: `CheckPassword is a read: it counts as no login, and answers for a suspended account as for any (users.proto, CheckPassword)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			p.suspend("jeff")
			before := p.holdings()
			p.checksPassword("jeff", password, true)
			p.checksPassword("jeff", NewPassword(), false)
			p.Untouched(before, "checks of a password")
			if at := p.Show("jeff").LastLoginAt; !at.IsZero() {
				t.Errorf("after a check of the password last_login_at is %v, want none", at)
			}
			other := NewPassword()
			p.password("jeff", other)
			p.checksPassword("jeff", other, true)
			p.checksPassword("jeff", password, false)
		},
	},
}

func (p *Plugin) checksPassword(username string, password account.Secret, want bool) {
	matches, err := p.Users.CheckPassword(p.t.ctx, p.Admin, account.Password{Username: username, Password: password})
	p.t.OK(err, "check a password of %s", username)
	if matches != want {
		p.t.Errorf("whether a password of %s matches is answered with %t, want %t", username, matches, want)
	}
}
