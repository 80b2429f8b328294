package conformance

import (
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

const generationContract = `account.Account.generation, and "generation" among the words of docs/design.md: raised by every password set, actual role change, suspension and enabling, and by nothing else`

var generationCases = []Case{
	{
		Name: "generation/is-raised", Contract: generationContract, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			was, password := p.Create("target", account.User)
			for _, step := range []struct {
				what string
				take func() account.Change
			}{
				{"a new password", func() account.Change { return p.password("target", NewPassword()) }},
				{"the same password", func() account.Change { return p.password("target", password) }},
				{"the same password once more", func() account.Change { return p.password("target", password) }},
				{"a role", func() account.Change { return p.edit(account.Edit{Username: "target", Role: account.Admin}) }},
				{"the role of before", func() account.Change { return p.edit(account.Edit{Username: "target", Role: account.User}) }},
				{"an edit of the password", func() account.Change { return p.edit(account.Edit{Username: "target", Password: NewPassword()}) }},
				{"an edit of role and password", func() account.Change {
					return p.edit(account.Edit{Username: "target", Role: account.Admin, Password: NewPassword()})
				}},
				{"an edit of the password, and the role that it has", func() account.Change {
					return p.edit(account.Edit{Username: "target", Role: account.Admin, Password: NewPassword()})
				}},
				{"a suspension", func() account.Change { return p.suspend("target") }},
				{"a password while suspended", func() account.Change { return p.password("target", NewPassword()) }},
				{"an enabling", func() account.Change { return p.enable("target") }},
			} {
				c := step.take()
				t.Came(c, true, "%s", step.what)
				is := p.Show("target")
				if c.Account.Generation != is.Generation {
					t.Errorf("%s: the answer says generation %d, and show %d", step.what, c.Account.Generation, is.Generation)
				}
				if is.Generation <= was.Generation {
					t.Errorf("%s: generation was %d and is %d, want it raised", step.what, was.Generation, is.Generation)
				}
				if is.ID != was.ID {
					t.Errorf("%s: the account id has changed", step.what)
				}
				was = is
			}
		},
	},
	{
		Name: "generation/is-raised-by-apply", Contract: generationContract, Needs: needsApply,
		run: func(t *T) {
			p := t.Open()
			was, _ := p.Create("target", account.User)
			yes, no := true, false
			for _, d := range []account.Desired{
				{Role: account.Admin}, {Enabled: &no}, {Enabled: &yes}, {Password: NewPassword()}, {Role: account.User, Password: NewPassword(), Enabled: &no},
			} {
				d.Username = "target"
				p.apply(d)
				is := p.Show("target")
				if is.Generation <= was.Generation {
					t.Errorf("apply of %s: generation was %d and is %d, want it raised", told(d), was.Generation, is.Generation)
				}
				was = is
				p.apply(d)
				if again := p.Show("target"); again.Generation != is.Generation {
					t.Errorf("apply of %s, which is so already: generation was %d and is %d", told(d), is.Generation, again.Generation)
				}
			}
			p.apply(account.Desired{Username: "target", Grants: account.Grants{"e": {account.Write}}})
			if is := p.Show("target"); is.Generation != was.Generation {
				t.Errorf("apply of grants: generation was %d and is %d", was.Generation, is.Generation)
			}
		},
	},
	{
		Name: "generation/is-raised-by-nothing-else", Contract: generationContract, Needs: needsChange,
		run: raisedByNothingElse,
	},
	{
		Name: "generation/begins-anew-with-another-id", Contract: `Account.id: random, and never used again, even if an account of the same name is created later`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			seen := map[account.ID]bool{p.Admin.AccountID: true}
			for range 4 {
				a, _ := p.Create("target", account.User)
				if is := p.Show("target"); is.ID != a.ID {
					t.Errorf("create answers with the account id %q, and show with %q", a.ID, is.ID)
				}
				if seen[a.ID] || a.ID == "" {
					t.Errorf("the new account has the id %q, which another has or had", a.ID)
				}
				seen[a.ID] = true
				p.delete("target")
			}
		},
	},
}

func told(d account.Desired) string {
	enabled := "kept"
	if d.Enabled != nil {
		enabled = fmt.Sprint(*d.Enabled)
	}
	return fmt.Sprintf("role %q, enabled %s, a password %t", d.Role, enabled, d.SetsPassword())
}

func raisedByNothingElse(t *T) {
	p := t.Open()
	was, password := p.Create("target", account.User)
	same := func(what string) {
		if is := p.Show("target"); is.Generation != was.Generation {
			t.Errorf("%s: generation was %d and is %d, want it unchanged", what, was.Generation, is.Generation)
			was = is
		}
	}
	p.grant("target", "e", account.Read)
	same("a grant")
	p.grant("target", "e", account.Write)
	same("another grant")
	p.grant("target", "e", account.Write)
	same("a grant that is held")
	p.revoke("target", "e")
	same("a revocation")
	p.revoke("target", "e")
	same("a revocation of nothing")
	p.enable("target")
	same("an enabling of an enabled account")
	p.edit(account.Edit{Username: "target", Role: account.User})
	same("the role that it has")
	_, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: "target", Password: NewPassword(), Role: account.Admin, IfNotExists: true})
	t.OK(err, "create if there is none")
	same("a create of what exists")
	_, err = p.login("target", password)
	t.OK(err, "log in")
	same("a login")
	_, err = p.login("target", NewPassword())
	t.Refused(err, account.KindNotAuthenticated, "", "log in with a wrong password")
	same("a refused login")
	_, err = p.Users.CheckPassword(t.ctx, p.Admin, account.Password{Username: "target", Password: password})
	t.OK(err, "check the password")
	same("a password check")
	was = p.suspend("target").Account
	p.suspend("target")
	same("a suspension of a suspended account")
	admin := p.Show(p.Admin.Username)
	t.Refused(p.demote(p.New()), account.KindRefused, account.ReasonLastAdmin, "make the only ADMIN a USER")
	if is := p.Show(p.Admin.Username); is.Generation != admin.Generation {
		t.Errorf("a refused change: generation was %d and is %d, want it unchanged", admin.Generation, is.Generation)
	}
}
