package fault_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// ask makes the call once over a session of the management socket, and takes
// down what is answered.
func (c *call) ask(ctx context.Context, m *management.Client) error {
	c.found, c.before = nil, nil
	secret := account.Secret(passwords[c.password])
	if c.password == 0 {
		secret = nil
	}
	switch c.verb {
	case account.VerbCreate:
		return c.take(m.Create(ctx, c.id, account.Create{Username: c.target, Password: secret, Role: c.role, IfNotExists: c.lenient}))
	case account.VerbEdit:
		return c.take(m.Edit(ctx, c.id, account.Edit{Username: c.target, Role: c.role, Password: secret}))
	case account.VerbPassword:
		return c.take(m.Password(ctx, c.id, account.Password{Username: c.target, Password: secret}))
	case account.VerbDelete:
		return c.take(m.Delete(ctx, c.id, account.Delete{Username: c.target, IfExists: c.lenient}))
	case account.VerbGrant:
		return c.take(m.Grant(ctx, c.id, account.Grant{Username: c.target, Permission: c.permission, Environment: environments[c.environment]}))
	case account.VerbRevoke:
		return c.take(m.Revoke(ctx, c.id, account.Revoke{Username: c.target, Environment: environments[c.environment]}))
	case account.VerbSuspend:
		return c.take(m.Suspend(ctx, c.id, c.target))
	case account.VerbEnable:
		return c.take(m.Enable(ctx, c.id, c.target))
	case account.VerbApply:
		return c.takeApplied(m.Apply(ctx, c.id, c.desired(secret)))
	case verbPlan:
		return c.takeApplied(m.Plan(ctx, c.desired(secret)))
	case verbShow:
		a, err := m.Show(ctx, c.target)
		c.found = []seen{seenOf(a.Account)}
		return err
	case verbCheck:
		var err error
		c.matches, err = m.CheckPassword(ctx, account.Password{Username: c.target, Password: secret})
		return err
	case verbList:
		return listed(c, m.List(ctx, management.AccountFilter{}), func(a management.ListedAccount) account.Account { return a.Account })
	case verbExport:
		return listed(c, m.Export(ctx), func(a account.Exported) account.Account { return a.Account })
	case verbRequest:
		_, err := m.Request(ctx)
		return err
	case verbSessions:
		for _, err := range m.Sessions(ctx, management.SessionListing{}) {
			if err != nil {
				return err
			}
		}
		return nil
	case verbDisconnect:
		_, err := m.DisconnectUser(ctx, c.target)
		return err
	}
	return fmt.Errorf("there is no call %q", c.verb)
}

func (c *call) desired(secret account.Secret) account.Desired {
	d := account.Desired{Username: c.target, Role: c.role, Enabled: c.enabled, Password: secret}
	if c.rights != nil {
		d.Grants = c.rights.grants()
	}
	return d
}

func (c *call) take(r management.Result, err error) error {
	c.changed = r.Changed
	c.found = []seen{seenIn(r.Account, r.Gone)}
	return err
}

func (c *call) takeApplied(a management.Applied, err error) error {
	c.changed = a.Changed
	c.found = []seen{seenIn(a.Account, a.Gone)}
	if !a.Repeated && err == nil {
		c.before = &seen{}
		if a.Before != nil {
			before := seenOf(*a.Before)
			c.before = &before
		}
	}
	return err
}

func seenIn(a account.Account, gone bool) seen {
	switch {
	case gone:
		return seen{name: a.Username}
	case a.Role == "":
		return seen{name: a.Username, outlived: true}
	}
	return seenOf(a)
}

func listed[R any](c *call, batches iter.Seq2[[]R, error], of func(R) account.Account) error {
	for batch, err := range batches {
		if err != nil {
			return err
		}
		for _, r := range batch {
			c.found = append(c.found, seenOf(of(r)))
		}
	}
	return nil
}
