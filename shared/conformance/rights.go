package conformance

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cinchapi/concourse-users/shared/account"
)

const rightsContract = `rule 8 of docs/design.md, and the comments on mutations, reads and Caller in users.proto: the caller is the enabled ADMIN of that id and generation`

// ended are the kinds for a session that is no longer good. A caller who is
// suspended but of the right generation is refused with either.
var (
	ended       = []account.Kind{account.KindNotAuthenticated}
	endedOrLess = []account.Kind{account.KindNotAuthenticated, account.KindNotPermitted}
)

var rightsCases = []Case{
	{
		Name: "rights/a-user-changes-nothing", Contract: rightsContract + `; one who is no ADMIN gets PERMISSION_DENIED for every mutation`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			user, _ := p.Create("user", account.User)
			p.changesNothing(map[string]account.Caller{"a USER": Caller(user)}, []account.Kind{account.KindNotPermitted})
		},
	},
	{
		Name: "rights/a-user-reads-nothing", Contract: rightsContract + `; one who is no ADMIN gets PERMISSION_DENIED for every read, and learns not even which accounts there are`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			user, _ := p.Create("user", account.User)
			for _, r := range p.reads() {
				t.Refused(r.ask(p, Caller(user), "user"), account.KindNotPermitted, "", "%s by a USER", r.name)
			}
			_, err := p.Users.Show(t.ctx, Caller(user), "nobody")
			t.Refused(err, account.KindNotPermitted, "", "show, by a USER, of a name that no account has")
		},
	},
	{
		Name: "rights/an-ended-session-reads-nothing", Contract: rightsContract + `; of another id, generation or name, or absent: UNAUTHENTICATED for every read`,
		run: func(t *T) {
			p := t.Open()
			for who, c := range p.strangers() {
				for _, r := range p.reads() {
					t.RefusedAs(r.ask(p, c, p.Admin.Username), ended, "%s by %s", r.name, who)
				}
			}
		},
	},
	{
		Name: "rights/an-ended-session-changes-nothing", Contract: rightsContract + `; of another id, generation or name, or absent: UNAUTHENTICATED for every mutation`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.changesNothing(p.strangers(), ended)
		},
	},
	{
		Name: "rights/end-with-the-account", Contract: rightsContract + `: a session from before a suspension, a deletion, a password or another role is UNAUTHENTICATED, though the name may be another ADMIN's by now`, Needs: needsChange,
		run: endWithTheAccount,
	},
	{
		Name: "rights/are-checked-at-commit", Contract: `rule 8 of docs/design.md: a caller's rights are checked in the transaction of the change: none of a caller's changes has a revision after the one that took the caller's rights`, Needs: needsChange,
		run: checkedAtCommit,
	},
}

// strangers are callers whose sessions are not good.
func (p *Plugin) strangers() map[string]account.Caller {
	with := func(change func(c *account.Caller)) account.Caller {
		c := p.Admin
		change(&c)
		return c
	}
	return map[string]account.Caller{
		"an account of another id":         with(func(c *account.Caller) { c.AccountID = account.NewID() }),
		"an account without an id":         with(func(c *account.Caller) { c.AccountID = "" }),
		"a generation yet to come":         with(func(c *account.Caller) { c.Generation++ }),
		"an earlier generation":            with(func(c *account.Caller) { c.Generation-- }),
		"a name that no account has":       with(func(c *account.Caller) { c.Username = "nobody" }),
		"a caller of whom nothing is said": {},
	}
}

// changesNothing notes what one of the callers is not refused.
func (p *Plugin) changesNothing(callers map[string]account.Caller, kinds []account.Kind) {
	all := p.mutations()
	target := func(m mutation) string { return fmt.Sprintf("target-%s", m.verb) }
	for _, m := range all {
		m.prepare(p, target(m))
	}
	before := p.holdings()
	for who, c := range callers {
		for _, m := range all {
			_, err := m.ask(p.t.ctx, p, As(c), target(m))
			p.t.RefusedAs(err, kinds, "%s by %s", m.verb, who)
		}
	}
	p.Untouched(before, "after the refusals")
}

func endWithTheAccount(t *T) {
	p := t.Open()
	p.Create("target", account.User)
	for _, end := range []struct {
		how   string
		kinds []account.Kind
		take  func(username string)
	}{
		{"suspended", endedOrLess, func(u string) { p.suspend(u) }},
		{"suspended and enabled", ended, func(u string) { p.suspend(u); p.enable(u) }},
		{"given another password", ended, func(u string) { p.password(u, NewPassword()) }},
		{"made a USER and an ADMIN again", ended, func(u string) {
			p.edit(account.Edit{Username: u, Role: account.User})
			p.edit(account.Edit{Username: u, Role: account.Admin})
		}},
		{"deleted", ended, func(u string) { p.delete(u) }},
		{"deleted, and the name given to another ADMIN", ended, func(u string) { p.delete(u); p.Create(u, account.Admin) }},
	} {
		p.grant("target", "before", account.Read)
		deputy, _ := p.Create(fmt.Sprintf("deputy-%d", p.holdings().size()), account.Admin)
		_, err := p.Users.Show(t.ctx, Caller(deputy), "target")
		t.OK(err, "show by an ADMIN who was just created")
		end.take(deputy.Username)
		_, err = p.Users.Show(t.ctx, Caller(deputy), "target")
		t.RefusedAs(err, end.kinds, "show by an ADMIN who was %s since the login", end.how)
		_, err = p.Users.Revoke(t.ctx, As(Caller(deputy)), account.Revoke{Username: "target", Environment: "before"})
		t.RefusedAs(err, end.kinds, "revoke by an ADMIN who was %s since the login", end.how)
		t.Grants(p.Show("target"), account.Grants{"before": {account.Read}}, "after the refusal")
	}
	// What a suspended ADMIN's session would be like if one were still made.
	p.Create("suspended", account.Admin)
	c := p.suspend("suspended")
	_, err := p.Users.Show(t.ctx, Caller(c.Account), "target")
	t.RefusedAs(err, endedOrLess, "show by a suspended ADMIN of the right generation")
}

// size is new after each change.
func (h holdings) size() int { return len(h.records) }

func checkedAtCommit(t *T) {
	p := t.Open()
	const many, enough = 4, 10
	target := func(i int) string { return fmt.Sprintf("target-%d", i) } // one each, so that none waits for others
	for i := range many {
		p.Create(target(i), account.User)
	}
	for _, end := range []struct {
		how  string
		take func(username string) account.Change
	}{
		{"demoted", func(u string) account.Change { return p.edit(account.Edit{Username: u, Role: account.User}) }},
		{"suspended", p.suspend},
		{"given another password", func(u string) account.Change { return p.password(u, NewPassword()) }},
		{"deleted", p.delete},
	} {
		deputy, _ := p.Create(fmt.Sprintf("deputy-%d", p.holdings().size()), account.Admin)
		var taken atomic.Bool
		var writers, begun sync.WaitGroup
		acknowledged := make([][]account.Revision, many)
		for i := range many {
			begun.Add(1)
			writers.Go(func() {
				begins := sync.OnceFunc(begun.Done)
				defer begins()
				for n, late := 0, 0; late < enough; n++ {
					c, err := settled(func() (account.Change, error) {
						return toggle(t.ctx, p, As(Caller(deputy)), target(i), "e", n)
					})
					if taken.Load() {
						late++
					}
					if err != nil {
						t.RefusedAs(err, endedOrLess, "a change by an ADMIN who is being %s", end.how)
						return
					}
					acknowledged[i] = append(acknowledged[i], c.Revision)
					begins()
				}
				t.Errorf("an ADMIN who was %s still changes accounts long after that was answered", end.how)
			})
		}
		begun.Wait()
		c := end.take(deputy.Username)
		taken.Store(true)
		writers.Wait()
		for _, revisions := range acknowledged {
			for _, r := range revisions {
				if r > c.Revision {
					t.Errorf("a change by the ADMIN %s was carried out at revision %d, who was %s at revision %d", deputy.Username, r, end.how, c.Revision)
				}
			}
		}
		if t.failed() {
			return
		}
		for i := range many {
			p.revoke(target(i), "e")
		}
	}
}

// toggle is the n-th of changes that each take back the one before.
func toggle(ctx context.Context, p *Plugin, in account.Invocation, target, environment string, n int) (account.Change, error) {
	if n%2 == 0 {
		return p.Users.Grant(ctx, in, account.Grant{Username: target, Permission: account.Read, Environment: environment})
	}
	return p.Users.Revoke(ctx, in, account.Revoke{Username: target, Environment: environment})
}

// toggled says which change that is.
func toggled(target, environment string, n int) string {
	if n%2 == 0 {
		return fmt.Sprintf("grant %s READ in %s", target, environment)
	}
	return fmt.Sprintf("revoke %s in %s", target, environment)
}
