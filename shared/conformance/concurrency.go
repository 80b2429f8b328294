package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/cinchapi/concourse-users/shared/account"
)

const concurrencyContract = `the mutations in users.proto: each takes effect in one transaction, so that calls for one account that come at once take effect one after the other`

var concurrencyCases = []Case{
	{
		Name: "concurrency/own-changes-are-read-back", Contract: concurrencyContract + `, and who has been answered reads no older state`, Needs: needsChange,
		run: ownChangesAreReadBack,
	},
	{
		Name: "concurrency/changes-take-turns", Contract: concurrencyContract + `: in the order of their revisions, each changes what the one before left, and raises the generation that it left`, Needs: needsChange,
		run: changesTakeTurns,
	},
	{
		Name: "concurrency/one-of-many-creates", Contract: `the rpc Create: of several that create one name at once one does; the others get ALREADY_EXISTS, or with if_not_exists the account that there is`, Needs: needsChange,
		run: oneOfManyCreates,
	},
	{
		Name: "concurrency/an-admin-always-remains", Contract: `rule 7 of docs/design.md: no sequence of concurrent deletes, suspensions and demotions leaves no enabled ADMIN`, Needs: needsChange,
		run: adminAlwaysRemains,
	},
}

// ownChangesAreReadBack gives each caller an environment of its own in one
// account, which others suspend and enable meanwhile.
func ownChangesAreReadBack(t *T) {
	p := t.Open()
	begin, _ := p.Create("target", account.User)
	var raised account.Generation
	var callers sync.WaitGroup
	for i := range 5 {
		callers.Go(func() {
			environment := fmt.Sprintf("w%d", i)
			for n := range 16 {
				in := p.New()
				c, err := settled(func() (account.Change, error) { return toggle(t.ctx, p, in, "target", environment, n) })
				if err != nil || !c.Changed {
					t.Errorf("%s: %s; want changed true, for nobody else changes what target holds in %s", toggled("target", environment, n), outcome(c, err), environment)
					return
				}
				a, err := p.Users.Show(t.ctx, p.Admin, "target")
				if err != nil {
					t.Errorf("show: %s", describe(err))
					return
				}
				if want := n%2 == 0; a.Grants.Holds(environment, account.Read) != want || c.Account.Grants.Holds(environment, account.Read) != want {
					t.Errorf("%s: the account in its answer holds the grant: %t, and in a show after it: %t; want %t in both", toggled("target", environment, n),
						c.Account.Grants.Holds(environment, account.Read), a.Grants.Holds(environment, account.Read), want)
					return
				}
			}
		})
	}
	callers.Go(func() {
		for n := range 12 {
			in := p.New()
			c, err := settled(func() (account.Change, error) {
				if n%2 == 0 {
					return p.Users.Suspend(t.ctx, in, "target")
				}
				return p.Users.Enable(t.ctx, in, "target")
			})
			if err != nil || !c.Changed {
				t.Errorf("suspend and enable target in turns, call %d: %s; want changed true, for nobody else does that", n+1, outcome(c, err))
				return
			}
			raised++
		}
	})
	callers.Wait()
	if is := p.Show("target"); is.Generation != begin.Generation+raised || len(is.Grants) != 0 || !is.Enabled {
		t.Errorf("at the end the generation is %d, enabled %t, grants %v; want %d (%d raises), true and none",
			is.Generation, is.Enabled, is.Grants, begin.Generation+raised, raised)
	}
}

// changesTakeTurns has several callers suspend and enable one account, and puts
// the answers that changed something in the order of their revisions.
func changesTakeTurns(t *T) {
	p := t.Open()
	begin, _ := p.Create("target", account.User)
	var mu sync.Mutex
	var turns []account.Change
	var callers sync.WaitGroup
	for i := range 6 {
		callers.Go(func() {
			for n := range 12 {
				in := p.New()
				suspends := (i+n)%2 == 0
				c, err := settled(func() (account.Change, error) {
					if suspends {
						return p.Users.Suspend(t.ctx, in, "target")
					}
					return p.Users.Enable(t.ctx, in, "target")
				})
				if err != nil || c.Account.Enabled == suspends {
					t.Errorf("suspend is %t: %s, and the account that it answers with is enabled: %t", suspends, outcome(c, err), c.Account.Enabled)
					return
				}
				if c.Changed {
					mu.Lock()
					turns = append(turns, c)
					mu.Unlock()
				}
			}
		})
	}
	callers.Wait()
	slices.SortFunc(turns, func(a, b account.Change) int { return cmp.Compare(a.Revision, b.Revision) })
	enabled, generation := true, begin.Generation
	for _, c := range turns {
		if c.Account.Enabled == enabled {
			t.Errorf("the change of revision %d made enabled %t, which the change before it had done", c.Revision, enabled)
		}
		if c.Account.Generation != generation+1 {
			t.Errorf("the change of revision %d raised the generation to %d, where the change before it had left %d", c.Revision, c.Account.Generation, generation)
		}
		enabled, generation = c.Account.Enabled, c.Account.Generation
	}
	if is := p.Show("target"); is.Enabled != enabled || is.Generation != generation {
		t.Errorf("at the end show says enabled %t, generation %d; the last answer that changed anything says %t and %d", is.Enabled, is.Generation, enabled, generation)
	}
}

func oneOfManyCreates(t *T) {
	p := t.Open()
	for _, ifNotExists := range []bool{false, true} {
		name := fmt.Sprintf("target-%t", ifNotExists)
		const many = 6
		changes, errs := make([]account.Change, many), make([]error, many)
		var callers sync.WaitGroup
		for i := range many {
			callers.Go(func() {
				in, password := p.New(), NewPassword()
				changes[i], errs[i] = settled(func() (account.Change, error) {
					return p.Users.Create(t.ctx, in, account.Create{Username: name, Password: password, Role: account.User, IfNotExists: ifNotExists})
				})
			})
		}
		callers.Wait()
		created, id := 0, p.Show(name).ID
		for i, c := range changes {
			switch {
			case errs[i] == nil && c.Account.ID != id:
				t.Errorf("a create answered with the account id %q, and show says %q", c.Account.ID, id)
			case errs[i] == nil && c.Changed:
				created++
			case errs[i] == nil && !ifNotExists:
				t.Errorf("a create of an account that exists says changed false, want ALREADY_EXISTS")
			case errs[i] != nil && ifNotExists:
				t.Errorf("create if there is none: %s", describe(errs[i]))
			case errs[i] != nil:
				t.Refused(errs[i], account.KindAlreadyExists, "", "one of %d calls that create one name", many)
			}
		}
		if created != 1 {
			t.Errorf("%d of %d calls that create one name say that they did, want 1", created, many)
		}
	}
}
