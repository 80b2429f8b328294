package conformance

import (
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

var createCases = []Case{
	{
		Name:     "create/makes-the-account-asked-for",
		Contract: `Create makes an enabled account of the role asked for, without grants, with a random id of its own (users.proto, Create; account.proto, Account)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			for username, role := range map[string]account.Role{"jeff": account.User, "ada": account.Admin} {
				began := time.Now()
				password := NewPassword()
				c, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: username, Password: password, Role: role})
				t.OK(err, "create %s", username)
				t.Came(c, true, "create %s", username)
				a := c.Account
				if a.Username != username || a.Role != role || !a.Enabled || len(a.Grants) != 0 || a.ID == "" || a.Generation == 0 || c.Gone {
					t.Errorf("create %s, %s: the answer says %+v, gone %t; want an enabled account of that name and role, with an id, a generation above 0 and without grants", username, role, a, c.Gone)
				}
				t.Recent(a.CreatedAt, began, "created_at of %s", username)
				t.Recent(a.PasswordChangedAt, began, "password_changed_at of %s", username)
				t.Same(p.Show(username), a, "show %s after its creation", username)
				login, err := p.login(username, password)
				t.OK(err, "log in as %s with the password of its creation", username)
				t.Same(login.Account, a, "the account of a login as %s", username)
				if a.ID == p.Admin.AccountID {
					t.Errorf("%s has the id of the administrator", username)
				}
			}
		},
	},
	{
		Name:     "create/refuses-a-taken-name",
		Contract: `Create refuses a name that is taken with ALREADY_EXISTS, and leaves its account as it is (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			before := p.holdings()
			_, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: "jeff", Password: NewPassword(), Role: account.Admin})
			t.Refused(err, account.KindAlreadyExists, "", "create jeff again")
			p.Untouched(before, "a refused Create")
			p.Login("jeff", password)
		},
	},
	{
		Name:     "create/if-not-exists-leaves-it-as-it-is",
		Contract: `CreateRequest.if_not_exists: an existing account is no error and stays as it is, its role and password too (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			before := p.grant("jeff", "e", account.Read).Account
			other := NewPassword()
			c, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: "jeff", Password: other, Role: account.Admin, IfNotExists: true})
			t.OK(err, "create jeff if there is none")
			t.Came(c, false, "create jeff if there is none, and there is")
			t.Same(c.Account, before, "the answer to create jeff if there is none")
			t.Same(p.Show("jeff"), before, "jeff after that")
			p.Login("jeff", password)
			_, err = p.login("jeff", other)
			t.Refused(err, account.KindNotAuthenticated, "", "log in with the password of a Create that left the account as it is")

			c, err = p.Users.Create(t.ctx, p.New(), account.Create{Username: "ada", Password: other, Role: account.User, IfNotExists: true})
			t.OK(err, "create ada if there is none")
			t.Came(c, true, "create ada if there is none, and there is none")
			p.Login("ada", other)
		},
	},
	{
		Name:     "create/never-uses-an-id-again",
		Contract: `Account.id is random, never used again: an account of a name that was deleted is another one (account.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			seen := map[account.ID]bool{p.Admin.AccountID: true}
			for range 3 {
				a, _ := p.Create("jeff", account.User)
				if seen[a.ID] {
					t.Errorf("a new account has the id %s of an earlier one", a.ID)
				}
				t.Same(p.Show("jeff"), a, "the new account")
				seen[a.ID] = true
				p.delete("jeff")
			}
		},
	},
	{
		Name:     "create/begins-afresh-after-a-deletion",
		Contract: `Delete removes an account for good: one of the same name later has none of its grants, and its password is only its own (users.proto, Delete)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, first := p.Create("jeff", account.Admin)
			p.grant("jeff", "e", account.Write)
			p.suspend("jeff")
			p.delete("jeff")
			second, password := p.Create("jeff", account.User)
			if len(second.Grants) != 0 || !second.Enabled || second.Role != account.User {
				t.Errorf("the new account is %+v, want an enabled USER without grants", second)
			}
			p.Login("jeff", password)
			_, err := p.login("jeff", first)
			t.Refused(err, account.KindNotAuthenticated, "", "log in with the password of a deleted account")
		},
	},
	{
		Name:     "create/stores-the-normal-form-of-a-name",
		Contract: `Account.username is in the PRECIS profile UsernameCasePreserved (NFC, full-width letters mapped): the forms of one name are one account (account.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			for normal, forms := range map[string][]string{
				"jos\u00e9": {"jose\u0301"},          // composed, decomposed
				"jeff":      {"\uff4a\uff45\uff46f"}, // full-width letters
			} {
				for _, form := range forms {
					made, password := p.Create(form, account.User)
					if made.Username != normal {
						t.Errorf("an account that was to be called %+q is called %+q, want %+q", form, made.Username, normal)
					}
					t.Same(p.Show(normal), made, "show %+q, created as %+q", normal, form)
					t.Same(p.Show(form), made, "show %+q, created as that", form)
					p.Login(normal, password) // as the host asks
					_, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: normal, Password: NewPassword(), Role: account.User})
					t.Refused(err, account.KindAlreadyExists, "", "create %+q, where %+q exists", normal, form)
				}
			}
		},
	},
}
