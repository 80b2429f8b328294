package conformance

import (
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

var deleteCases = []Case{
	{
		Name:     "delete/removes-the-account",
		Contract: `Delete removes an account for good; Change.account then has its id, generation and username, and gone is true (users.proto, Delete and Change)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, password := p.Create("jeff", account.User)
			kept, other := p.Create("jeffrey", account.User)
			c := p.delete("jeff")
			t.Came(c, true, "delete jeff")
			if !c.Gone || c.Account.ID != made.ID || c.Account.Username != "jeff" {
				t.Errorf("the answer says gone %t, id %s, username %q; want gone, %s and %q", c.Gone, c.Account.ID, c.Account.Username, made.ID, "jeff")
			}
			_, err := p.Users.Show(t.ctx, p.Admin, "jeff")
			t.NotFound(err, "jeff", "show jeff, deleted")
			_, err = p.login("jeff", password)
			t.Refused(err, account.KindNotAuthenticated, "", "log in as jeff, deleted")
			if slices.ContainsFunc(p.all(), func(a account.Account) bool { return a.Username == "jeff" }) {
				t.Errorf("the listing has jeff, deleted")
			}
			if exists, err := p.Users.Exists(t.ctx, "jeff"); err != nil || exists {
				t.Errorf("whether jeff, deleted, exists is answered with %t, %s; want false", exists, describe(err))
			}
			t.Same(p.Show("jeffrey"), kept, "jeffrey, whose name begins alike")
			p.Login("jeffrey", other)
		},
	},
	{
		Name:     "delete/refuses-an-unknown-name",
		Contract: `Delete refuses a name that no account has with NOT_FOUND, whose subject is the username (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Delete(t.ctx, p.New(), account.Delete{Username: "nobody"})
			t.NotFound(err, "nobody", "delete nobody")
			p.Untouched(before, "a refused Delete")
		},
	},
	{
		Name:     "delete/if-exists-is-no-error",
		Contract: `DeleteRequest.if_exists: no such account is no error, and no change (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			c, err := p.Users.Delete(t.ctx, p.New(), account.Delete{Username: "nobody", IfExists: true})
			t.OK(err, "delete nobody if there is one")
			t.Came(c, false, "delete nobody if there is one")
			if !c.Gone {
				t.Errorf("gone is false, although no account has the name")
			}
			p.Create("jeff", account.User)
			c, err = p.Users.Delete(t.ctx, p.New(), account.Delete{Username: "jeff", IfExists: true})
			t.OK(err, "delete jeff if there is one")
			t.Came(c, true, "delete jeff if there is one")
			_, err = p.Users.Show(t.ctx, p.Admin, "jeff")
			t.NotFound(err, "jeff", "show jeff, deleted")
		},
	},
}
