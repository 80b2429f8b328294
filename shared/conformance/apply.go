package conformance

import (
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

var applyCases = []Case{
	{
		Name:     "apply/makes-a-new-account",
		Contract: `Desired: a new account needs a password or a hash, and is otherwise an enabled USER without grants; Applied.before is absent (users.proto)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Apply(t.ctx, p.New(), account.Desired{Username: "jeff", Role: account.Admin})
			t.RefusedField(err, "password", "apply a new account without a password")
			p.Untouched(before, "a refused Apply")
			password := NewPassword()
			a := p.apply(account.Desired{Username: "jeff", Password: password})
			t.Came(a.Change, true, "apply a new account")
			if made := a.Account; a.Before != nil || !a.PasswordSet || made.Username != "jeff" || made.Role != account.User || !made.Enabled || len(made.Grants) != 0 || made.ID == "" {
				t.Errorf("the answer is %+v, password_set %t, before %v; want an enabled USER without grants, password_set, and nothing before", made, a.PasswordSet, a.Before)
			}
			t.Same(p.Show("jeff"), a.Account, "jeff, applied")
			p.Login("jeff", password)

			password = NewPassword()
			suspended := false
			grants := account.Grants{"e": {account.Read}, "f": {account.Read, account.Write}}
			a = p.apply(account.Desired{Username: "ada", Role: account.Admin, Enabled: &suspended, Grants: grants, Password: password})
			if made := p.Show("ada"); made.Role != account.Admin || made.Enabled || !sameGrants(made.Grants, grants) {
				t.Errorf("a new account is %+v, want a suspended ADMIN that holds %v", made, grants)
			}
			_, err = p.login("ada", password)
			t.Refused(err, account.KindNotPermitted, account.ReasonSuspended, "log in to an account that was made suspended")
		},
	},
	{
		Name:     "apply/only-new-refuses-one-that-exists",
		Contract: `Desired.only_new: an account that exists is refused, with ALREADY_EXISTS, by Apply and by Plan, and stays as it is (users.proto)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			d := account.Desired{Username: "jeff", Password: NewPassword(), OnlyNew: true}
			t.Came(p.apply(d).Change, true, "apply a new account, only_new")
			before := p.holdings()
			d.Password, d.Role = NewPassword(), account.Admin
			_, err := p.Users.Plan(t.ctx, p.Admin, d)
			t.Refused(err, account.KindAlreadyExists, "", "plan it again, only_new")
			_, err = p.Users.Apply(t.ctx, p.New(), d)
			t.Refused(err, account.KindAlreadyExists, "", "apply it again, only_new")
			p.Untouched(before, "refusals")
		},
	},
	{
		Name:     "apply/keeps-what-is-not-named",
		Contract: `Desired: what is absent stays as it is: role, state, grants and password (users.proto)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			p.grant("jeff", "e", account.Write)
			want := p.suspend("jeff").Account
			a := p.apply(account.Desired{Username: "jeff", Role: account.Admin})
			t.Came(a.Change, true, "apply a role")
			want.Role, want.Generation = account.Admin, a.Account.Generation
			t.Same(p.Show("jeff"), want, "jeff, of whom a role was applied")
			enabled := true
			a = p.apply(account.Desired{Username: "jeff", Enabled: &enabled})
			want.Enabled, want.Generation = true, a.Account.Generation
			t.Same(p.Show("jeff"), want, "jeff, of whom a state was applied")
			p.Login("jeff", password)
		},
	},
	{
		Name:     "apply/does-all-at-once",
		Contract: `Apply makes one account what the request says, in one transaction, and its grants exactly those; Applied.before is the account before (users.proto, Apply, Desired.grants and Applied)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			p.grant("jeff", "goes", account.Write)
			p.grant("jeff", "changes", account.Write)
			before := p.grant("jeff", "stays", account.Read).Account
			suspended, password := false, NewPassword()
			grants := account.Grants{"stays": {account.Read}, "changes": {account.Read}, "comes": {account.Read, account.Write}}
			a := p.apply(account.Desired{Username: "jeff", Role: account.Admin, Enabled: &suspended, Grants: grants, Password: password})
			t.Came(a.Change, true, "apply role, state, grants and password")
			if a.Before == nil {
				t.Fatalf("Applied.before is absent, although the account was there")
			}
			t.Same(*a.Before, before, "Applied.before")
			if !a.PasswordSet {
				t.Errorf("password_set is false, although the password is another")
			}
			want := before
			want.Role, want.Enabled, want.Grants = account.Admin, false, grants
			want.Generation, want.PasswordChangedAt = a.Account.Generation, a.Account.PasswordChangedAt
			t.Same(a.Account, want, "the answer to Apply")
			t.Same(p.Show("jeff"), want, "jeff, applied")
			_, err := p.login("jeff", password)
			t.Refused(err, account.KindNotPermitted, account.ReasonSuspended, "log in with the password that was applied")
			a = p.apply(account.Desired{Username: "jeff", Grants: account.Grants{}})
			t.Grants(p.Show("jeff"), nil, "jeff, whose grants were to be exactly none")
		},
	},
	{
		Name:     "apply/does-all-or-nothing",
		Contract: `Apply is one transaction: with one part that is refused, the others stay as they were (users.proto, Apply)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			p.grant("jeff", "e", account.Write)
			before := p.holdings()
			suspended := false
			d := account.Desired{Username: "jeff", Role: account.Admin, Enabled: &suspended, Grants: account.Grants{"f": {account.Read}}}
			d.Password = passwordOf(account.MaxPassword + 1)
			_, err := p.Users.Apply(t.ctx, p.New(), d)
			t.RefusedField(err, "password", "apply a password of %d bytes", len(d.Password))
			d.Password, d.PasswordHash = nil, account.Secret("not a hash")
			_, err = p.Users.Apply(t.ctx, p.New(), d)
			t.RefusedField(err, "password_hash", "apply a hash that is none")
			d.Password = NewPassword()
			_, err = p.Users.Apply(t.ctx, p.New(), d)
			t.Refused(err, account.KindInvalid, "", "apply a password and a hash")
			d.PasswordHash, d.Grants = nil, environments(account.MaxEnvironments+1, account.Read)
			_, err = p.Users.Apply(t.ctx, p.New(), d)
			t.Refused(err, account.KindRefused, account.ReasonTooManyGrants, "apply grants in %d environments", account.MaxEnvironments+1)
			p.Untouched(before, "refused Applies")
		},
	},
	{
		Name:     "apply/changes-nothing-that-is-so-already",
		Contract: `Apply leaves an account as it is if it is what the request says already; a password that is the account's changes nothing (users.proto, Apply)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			enabled, password := true, NewPassword()
			d := account.Desired{Username: "jeff", Role: account.User, Enabled: &enabled, Grants: account.Grants{"e": {account.Read, account.Write}}, Password: password}
			want := p.apply(d).Account
			for _, what := range []string{"the same again", "the same a third time"} {
				a := p.apply(d)
				t.Came(a.Change, false, "apply %s", what)
				if a.PasswordSet {
					t.Errorf("apply %s: password_set is true", what)
				}
				if a.Before == nil {
					t.Fatalf("apply %s: Applied.before is absent, although the account was there", what)
				}
				t.Same(*a.Before, want, "apply %s: before", what)
				t.Same(a.Account, want, "apply %s: the answer", what)
			}
			t.Same(p.Show("jeff"), want, "jeff after that")
			p.Login("jeff", password)
		},
	},
	{
		Name:     "apply/plan-changes-nothing",
		Contract: `Plan says what Apply would come to, and changes nothing (users.proto, Plan)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			p.grant("jeff", "e", account.Write)
			before := p.holdings()
			suspended := false
			desired := []account.Desired{
				{Username: "ada", Role: account.Admin, Password: NewPassword(), Grants: account.Grants{"e": {account.Read}}},
				{Username: "jeff", Role: account.Admin, Enabled: &suspended, Grants: account.Grants{"f": {account.Read}}},
				{Username: "jeff", Password: NewPassword()},
			}
			for _, d := range desired {
				_, err := p.Users.Plan(t.ctx, p.Admin, d)
				t.OK(err, "plan %s", d.Username)
			}
			p.Untouched(before, "plans")
		},
	},
	{
		Name:     "apply/plan-says-what-apply-does",
		Contract: `Plan says what Apply would come to, refusals included (users.proto, Plan)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			p.grant("jeff", "e", account.Write)
			suspended := false
			for i, d := range []account.Desired{
				{Username: "ada", Role: account.Admin, Password: NewPassword(), Grants: account.Grants{"e": {account.Read}}},
				{Username: "jeff", Password: password},
				{Username: "jeff", Role: account.Admin, Enabled: &suspended, Grants: account.Grants{"f": {account.Read}}, Password: NewPassword()},
				{Username: "jeff", Role: account.Admin, Enabled: &suspended},
				{Username: "nobody", Role: account.Admin},
				{Username: "jeff", Grants: environments(account.MaxEnvironments+1, account.Read)},
				{Username: "jeff", Password: passwordOf(account.MaxPassword + 1)},
			} {
				planned, refused := p.Users.Plan(t.ctx, p.Admin, d)
				done, err := p.Users.Apply(t.ctx, p.New(), d)
				what := fmt.Sprintf("%d: %s", i+1, d.Username)
				if account.KindOf(refused) != account.KindOf(err) || account.ReasonOf(refused) != account.ReasonOf(err) {
					t.Errorf("%s: Plan said %s, Apply %s", what, describe(refused), describe(err))
				}
				if err != nil || refused != nil {
					continue
				}
				if planned.Changed != done.Changed || planned.PasswordSet != done.PasswordSet || (planned.Before == nil) != (done.Before == nil) {
					t.Errorf("%s: Plan said changed %t, password_set %t, before %t; Apply %t, %t, %t", what,
						planned.Changed, planned.PasswordSet, planned.Before != nil, done.Changed, done.PasswordSet, done.Before != nil)
				}
				if planned.Before != nil && done.Before != nil {
					t.Same(*planned.Before, *done.Before, "%s: before, as Plan said", what)
				}
				// An id, times and generations are settled by what is carried out.
				if a, b := planned.Account, done.Account; a.Username != b.Username || a.Role != b.Role || a.Enabled != b.Enabled || !sameGrants(a.Grants, b.Grants) {
					t.Errorf("%s: Plan said %+v, Apply %+v", what, a, b)
				}
			}
		},
	},
	{
		Name:     "apply/takes-an-exported-hash",
		Contract: `Desired.password_hash sets the password that the hash was made of; a hash that is the account's changes nothing (users.proto, Apply)`,
		Needs:    needsHashes,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			hash := p.exported("jeff").PasswordHash
			a := p.apply(account.Desired{Username: "ada", PasswordHash: hash})
			t.Came(a.Change, true, "apply a new account with jeff's hash")
			p.Login("ada", password)
			_, err := p.login("ada", NewPassword())
			t.Refused(err, account.KindNotAuthenticated, "", "log in as ada with another password")
			a = p.apply(account.Desired{Username: "jeff", PasswordHash: hash})
			t.Came(a.Change, false, "apply the hash that jeff has")
			if a.PasswordSet {
				t.Errorf("apply the hash that jeff has: password_set is true")
			}
			p.password("jeff", NewPassword())
			a = p.apply(account.Desired{Username: "jeff", PasswordHash: hash})
			t.Came(a.Change, true, "apply the hash that jeff had")
			if !a.PasswordSet {
				t.Errorf("apply the hash that jeff had: password_set is false")
			}
			p.Login("jeff", password)
		},
	},
	{
		Name:     "apply/keeps-an-account's-times",
		Contract: `Desired.created_at, password_changed_at and last_login_at come with a hash: of a new account they are its own; none may be in the future (users.proto)`,
		Needs:    needsHashes,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			made := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
			d := account.Desired{
				Username: "ada", PasswordHash: p.exported("jeff").PasswordHash,
				CreatedAt: made, PasswordChangedAt: made.AddDate(1, 0, 0), LastLoginAt: made.AddDate(2, 0, 0),
			}
			p.apply(d)
			a := p.Show("ada")
			if !a.CreatedAt.Equal(d.CreatedAt) || !a.PasswordChangedAt.Equal(d.PasswordChangedAt) {
				t.Errorf("created_at is %v and password_changed_at %v, want %v and %v", a.CreatedAt, a.PasswordChangedAt, d.CreatedAt, d.PasswordChangedAt)
			}
			if !a.LastLoginAt.IsZero() && !a.LastLoginAt.Equal(d.LastLoginAt) {
				t.Errorf("last_login_at is %v, want %v, or none where a backend does not keep it", a.LastLoginAt, d.LastLoginAt)
			}
			p.Login("ada", password)
			before := p.holdings()
			d.Username = "bob"
			for field, at := range map[string]*time.Time{"created_at": &d.CreatedAt, "password_changed_at": &d.PasswordChangedAt, "last_login_at": &d.LastLoginAt} {
				past := *at
				*at = time.Now().Add(24 * time.Hour)
				_, err := p.Users.Apply(t.ctx, p.New(), d)
				t.RefusedField(err, field, "apply an account whose %s is tomorrow", field)
				*at = past
			}
			p.Untouched(before, "refused Applies")
		},
	},
}

// environments returns grants in that many environments.
func environments(n int, permissions ...account.Permission) account.Grants {
	g := make(account.Grants, n)
	for i := range n {
		g[environment(i)] = permissions
	}
	return g
}

func environment(i int) string { return fmt.Sprintf("environment_%d", i) }
