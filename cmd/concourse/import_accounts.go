package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/credentials"
)

// originalPassword is the one that the original gives its first administrator.
const originalPassword = "admin"

// tasks refuses, with everything that is wrong at once, a file that cannot be
// taken over as the options say.
func (v *usersImport) tasks(c *credentials.Contents) ([]*task, error) {
	i := newImporting(c.Accounts)
	i.choose(v)
	all := i.tasks()
	if n := len(i.problems.lines) + i.problems.more; n > 0 {
		return nil, account.Invalid("from-concourse", "%s with %s, so nothing was changed\n%s", count(n, "problem"), v.name(), i.problems.text())
	}
	return all, nil
}

func (i *importing) tasks() (all []*task) {
	same := map[string][]*credentials.Account{} // by normal form
	badEnvironments := map[string][]*credentials.Account{}
	for k := range i.accounts {
		a := &i.accounts[k]
		if i.skipped[a.ID] {
			continue
		}
		if why := unfit(a); why != "" {
			i.problems.add(i.typed(a), "%s; leave it out: --skip %s", why, i.typed(a))
			continue
		}
		t := i.task(a)
		for e := range t.Grants {
			if account.CheckEnvironment(e) != nil {
				badEnvironments[e] = append(badEnvironments[e], a)
			}
		}
		if n := len(t.Grants); n > account.MaxEnvironments {
			i.problems.add(i.typed(a), "it holds grants in %d environments, and %d is the most; leave some out: --skip-environment NAME, or the account: --skip %s",
				n, account.MaxEnvironments, i.typed(a))
		}
		if i.name(t, a) {
			same[t.Username] = append(same[t.Username], a)
			all = append(all, t)
		}
	}
	i.collisions(same)
	i.refuse(badEnvironments)
	return all
}

// unfit says why no new name would help.
func unfit(a *credentials.Account) string {
	switch {
	case len(a.Unknown) > 0:
		return fmt.Sprintf("it has %q, which this release does not know and would lose", account.Printable(a.Unknown[0]))
	case a.Role == credentials.Service:
		return "it has the role SERVICE, which is for no person"
	case a.Role == credentials.NoRole:
		return "it has no role, as after a failed create, and so no rights"
	}
	return ""
}

// task wants what the original has, under the name of the original.
func (i *importing) task(a *credentials.Account) *task {
	t := &task{Desired: account.Desired{OnlyNew: true,
		Role: account.Role(a.Role), Enabled: &a.Enabled, Grants: account.Grants{}, PasswordHash: a.PasswordHash(),
	}}
	for e, p := range a.Grants {
		if !i.environments[e] {
			t.Grants[e] = []account.Permission{p}
		}
	}
	if a.HasPassword(originalPassword) {
		t.warning = "its password is the one that every server of the original begins with; change it"
	}
	return t
}

// name gives the task its name here, if that is a good one.
func (i *importing) name(t *task, a *credentials.Account) bool {
	name, renamed := i.renamed[a.ID]
	if !renamed {
		name = a.Username
	}
	var err error
	if t.Username, err = account.NormalizeUsername(name); err == nil {
		return true
	}
	if renamed {
		i.problems.add("--rename", "%s: %v", quotedWord(name), err)
	} else {
		i.problems.add(i.typed(a), "%v; %s, or leave it out: --skip %s", err, i.renaming(a), i.typed(a))
	}
	return false
}

// collisions refuses accounts that would have one name.
func (i *importing) collisions(same map[string][]*credentials.Account) {
	for _, name := range slices.Sorted(maps.Keys(same)) {
		if all := same[name]; len(all) > 1 {
			last := all[len(all)-1]
			i.problems.add(quotedWord(name), "%s would have this name; say for all but one what else, such as %s or --skip %s",
				i.typedAll(all), i.renaming(last), i.typed(last))
		}
	}
}

// refuse refuses grants in environments that cannot be.
func (i *importing) refuse(environments map[string][]*credentials.Account) {
	for _, e := range slices.Sorted(maps.Keys(environments)) {
		holders := i.typedAll(environments[e][:min(len(environments[e]), mostHolders)])
		if more := len(environments[e]) - mostHolders; more > 0 {
			holders += fmt.Sprintf(" and %d more", more)
		}
		what, _, _ := strings.Cut(account.CheckEnvironment(e).Error(), ";")
		i.problems.add("grants of "+holders, "%s; leave such grants out: --skip-environment %s", what, quotedWord(e))
	}
}

const mostHolders = 5
