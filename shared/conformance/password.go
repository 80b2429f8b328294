package conformance

import (
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

var passwordCases = []Case{
	{
		Name:     "password/sets-it",
		Contract: `Password sets a password and nothing else (users.proto, Password)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, old := p.Create("jeff", account.User)
			before := p.grant("jeff", "e", account.Write).Account
			began, password := time.Now(), NewPassword()
			c := p.password("jeff", password)
			t.Came(c, true, "set jeff's password")
			t.Recent(c.Account.PasswordChangedAt, began, "password_changed_at")
			want := before
			want.Generation, want.PasswordChangedAt = c.Account.Generation, c.Account.PasswordChangedAt
			t.Same(c.Account, want, "the answer to Password")
			t.Same(p.Show("jeff"), want, "jeff after that")
			p.Login("jeff", password)
			_, err := p.login("jeff", old)
			t.Refused(err, account.KindNotAuthenticated, "", "log in with the password before")
		},
	},
	{
		Name:     "password/enables-nobody",
		Contract: `Password does not enable a suspended account (users.proto, Password)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			p.suspend("jeff")
			password := NewPassword()
			if c := p.password("jeff", password); c.Account.Enabled {
				t.Errorf("the answer to Password says that the suspended account is enabled")
			}
			if p.Show("jeff").Enabled {
				t.Errorf("after its password was set the suspended account is enabled")
			}
			_, err := p.login("jeff", password)
			t.Refused(err, account.KindNotPermitted, account.ReasonSuspended, "log in to the suspended account with its new password")
		},
	},
	{
		Name:     "password/the-same-again-is-a-change",
		Contract: `Every password set raises the generation, that of the same password too: it is how tokens are ended (account.proto, Account.generation; rule 3)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, password := p.Create("jeff", account.User)
			c := p.password("jeff", password)
			t.Came(c, true, "set the password that jeff has")
			if c.Account.Generation <= made.Generation {
				t.Errorf("the generation is %d, before it was %d: want it raised", c.Account.Generation, made.Generation)
			}
			p.Login("jeff", password)
		},
	},
	{
		Name:     "password/refuses-an-unknown-name",
		Contract: `Password refuses a name that no account has with NOT_FOUND, whose subject is the username, and makes none (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before, password := p.holdings(), NewPassword()
			_, err := p.Users.Password(t.ctx, p.New(), account.Password{Username: "nobody", Password: password})
			t.NotFound(err, "nobody", "set nobody's password")
			p.Untouched(before, "a refused Password")
			_, err = p.login("nobody", password)
			t.Refused(err, account.KindNotAuthenticated, "", "log in as nobody")
		},
	},
}
