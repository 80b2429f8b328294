package conformance

import (
	"fmt"
	"sync"

	"github.com/cinchapi/concourse-users/shared/account"
)

// adminAlwaysRemains has ADMINs remove themselves and each other at once. That
// each removes itself is the harder one: every caller is in its right, and only
// the count can refuse.
func adminAlwaysRemains(t *T) {
	p := t.Open()
	const many = 4
	names := []string{p.Admin.Username}
	for i := range many - 1 {
		name := fmt.Sprintf("deputy-%d", i)
		p.Create(name, account.Admin)
		names = append(names, name)
	}
	w := p.Watch()
	for round, attack := range []struct {
		what string
		ask  func(in account.Invocation, own, next string) error
	}{
		{"make themselves USERs", func(in account.Invocation, own, _ string) error {
			_, err := p.Users.Edit(t.ctx, in, account.Edit{Username: own, Role: account.User})
			return err
		}},
		{"make each other USERs", func(in account.Invocation, _, next string) error {
			_, err := p.Users.Edit(t.ctx, in, account.Edit{Username: next, Role: account.User})
			return err
		}},
		{"suspend each other", func(in account.Invocation, _, next string) error {
			_, err := p.Users.Suspend(t.ctx, in, next)
			return err
		}},
		{"make themselves USERs again", func(in account.Invocation, own, _ string) error {
			_, err := p.Users.Edit(t.ctx, in, account.Edit{Username: own, Role: account.User})
			return err
		}},
		{"delete themselves", func(in account.Invocation, own, _ string) error {
			_, err := p.Users.Delete(t.ctx, in, account.Delete{Username: own})
			return err
		}},
	} {
		is := w.read(names...)
		var attackers sync.WaitGroup
		for i, name := range names {
			s, next := is[name], names[(i+1)%many]
			in := As(account.Caller{Username: name, AccountID: s.ID, Generation: s.Generation})
			attackers.Go(func() {
				_, err := settled(func() (account.Change, error) { return account.Change{}, attack.ask(in, name, next) })
				if err != nil && account.ReasonOf(err) != account.ReasonLastAdmin {
					t.RefusedAs(err, endedOrLess, "ADMINs that %s", attack.what)
				}
			})
		}
		attackers.Wait()
		is = w.read(names...)
		var remains account.Caller
		admins := 0
		for _, s := range is {
			if s.ID != "" && s.Enabled && s.Role == account.Admin {
				admins++
				remains = account.Caller{Username: s.Username, AccountID: s.ID, Generation: s.Generation}
			}
		}
		if admins == 0 {
			t.Fatalf("%d ADMINs that %s at once: no enabled ADMIN is left", many, attack.what)
		}
		if round == 4 {
			return
		}
		for _, name := range names { // for the next round
			if name == remains.Username {
				continue
			}
			_, err := p.Users.Edit(t.ctx, As(remains), account.Edit{Username: name, Role: account.Admin})
			t.OK(err, "make %s an ADMIN again", name)
			_, err = p.Users.Enable(t.ctx, As(remains), name)
			t.OK(err, "enable %s again", name)
		}
	}
}
