package conformance

import (
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

var exportCases = []Case{
	{
		Name:     "export/is-list-with-hashes",
		Contract: `Export is List with password hashes: the same accounts, in the same order (users.proto, Export)`,
		Needs:    []string{account.CapabilityExport},
		run: func(t *T) {
			p := t.Open()
			if p.Declares(account.CapabilityChange) {
				p.Create("jeff", account.User)
				p.Create("ada", account.User)
				p.grant("jeff", "e", account.Write)
				p.suspend("ada")
			}
			listed, exported := p.all(), p.exports()
			if len(listed) != len(exported) {
				t.Fatalf("%d accounts are exported, %d listed", len(exported), len(listed))
			}
			for i, e := range exported {
				t.Same(e.Account, listed[i], "%s, exported", account.Printable(e.Username))
				if len(e.PasswordHash) == 0 && p.Declares(account.CapabilityChange) {
					t.Errorf("%s is exported without a password hash", account.Printable(e.Username))
				}
			}
			page, _, err := p.Users.Export(t.ctx, p.Admin, p.admin.Username)
			t.OK(err, "export after the administrator")
			if slices.ContainsFunc(page, func(e account.Exported) bool { return e.Username <= p.admin.Username }) {
				t.Errorf("the export after the administrator has accounts that do not sort after it")
			}
		},
	},
	{
		Name:     "export/hashes-belong-to-their-accounts",
		Contract: `ExportedAccount.password_hash is the account's: an account made from it elsewhere logs in with the password, and with no other (users.proto)`,
		Needs:    needsHashes,
		run: func(t *T) {
			p := t.Open()
			passwords := map[string]account.Secret{}
			for _, name := range []string{"ada", "bob", "jeff"} {
				_, passwords[name] = p.Create(name, account.User)
			}
			p.grant("jeff", "e", account.Write)
			p.suspend("bob")
			elsewhere := t.Open()
			for _, e := range p.exports() {
				if passwords[e.Username] == nil {
					continue
				}
				elsewhere.apply(account.Desired{
					Username: e.Username, Role: e.Role, Enabled: &e.Enabled, Grants: e.Grants, PasswordHash: e.PasswordHash,
					CreatedAt: e.CreatedAt, PasswordChangedAt: e.PasswordChangedAt,
				})
				want, got := e.Account, elsewhere.Show(e.Username)
				want.ID, want.Generation = got.ID, got.Generation // each store's own
				t.Same(got, want, "%s, moved to another store", e.Username)
			}
			for name, password := range passwords {
				_, err := elsewhere.login(name, password)
				if name == "bob" {
					t.Refused(err, account.KindNotPermitted, account.ReasonSuspended, "log in to the other store as bob, suspended")
				} else {
					t.OK(err, "log in to the other store as %s", name)
				}
				_, err = elsewhere.login(name, NewPassword())
				t.Refused(err, account.KindNotAuthenticated, "", "log in to the other store as %s with another password", name)
			}
		},
	},
}

// exports returns every account as the administrator exports them.
func (p *Plugin) exports() []account.Exported {
	all, err := pages(func(after string) ([]account.Exported, string, error) {
		return p.Users.Export(p.t.ctx, p.Admin, after)
	}, func(e account.Exported) string { return e.Username })
	p.t.OK(err, "export accounts")
	return all
}

// exported returns one account with its hash.
func (p *Plugin) exported(username string) account.Exported {
	for _, e := range p.exports() {
		if e.Username == username {
			return e
		}
	}
	p.t.Fatalf("the export lacks %s", username)
	panic("unreachable")
}
