package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// mutation is one verb, for what must hold of all of them alike.
type mutation struct {
	verb    account.Verb
	prepare func(p *Plugin, target string) // the verb will change something then
	ask     func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error)
	undo    func(p *Plugin, target string) // by another request
}

// mutations returns those that the backend has. Each asks the same every time.
func (p *Plugin) mutations() []mutation {
	password := NewPassword()
	create := func(p *Plugin, target string) { p.Create(target, account.User) }
	const environment = "mutated"
	all := []mutation{
		{
			account.VerbCreate, func(*Plugin, string) {},
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Create(ctx, in, account.Create{Username: target, Password: password, Role: account.User})
			},
			func(p *Plugin, target string) { p.delete(target) },
		}, {
			account.VerbEdit, create,
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Edit(ctx, in, account.Edit{Username: target, Role: account.Admin})
			},
			func(p *Plugin, target string) { p.edit(account.Edit{Username: target, Role: account.User}) },
		}, {
			account.VerbPassword, create,
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Password(ctx, in, account.Password{Username: target, Password: password})
			},
			func(p *Plugin, target string) { p.password(target, NewPassword()) },
		}, {
			account.VerbDelete, create,
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Delete(ctx, in, account.Delete{Username: target})
			},
			create,
		}, {
			account.VerbGrant, create,
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Grant(ctx, in, account.Grant{Username: target, Permission: account.Read, Environment: environment})
			},
			func(p *Plugin, target string) { p.revoke(target, environment) },
		}, {
			account.VerbRevoke, func(p *Plugin, target string) {
				create(p, target)
				p.grant(target, environment, account.Write)
			},
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Revoke(ctx, in, account.Revoke{Username: target, Environment: environment})
			},
			func(p *Plugin, target string) { p.grant(target, environment, account.Write) },
		}, {
			account.VerbSuspend, create,
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Suspend(ctx, in, target)
			},
			func(p *Plugin, target string) { p.enable(target) },
		}, {
			account.VerbEnable, func(p *Plugin, target string) {
				create(p, target)
				p.suspend(target)
			},
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				return p.Users.Enable(ctx, in, target)
			},
			func(p *Plugin, target string) { p.suspend(target) },
		},
	}
	if p.Declares(account.CapabilityApply) {
		suspended := false
		all = append(all, mutation{
			account.VerbApply, create,
			func(ctx context.Context, p *Plugin, in account.Invocation, target string) (account.Change, error) {
				a, err := p.Users.Apply(ctx, in, account.Desired{Username: target, Enabled: &suspended})
				return a.Change, err
			},
			func(p *Plugin, target string) { p.enable(target) },
		})
	}
	return all
}

// read is one call that a caller may make without changing anything.
type read struct {
	name string
	ask  func(p *Plugin, who account.Caller, target string) error
}

// reads returns those that the backend has.
func (p *Plugin) reads() []read {
	all := []read{
		{"show", func(p *Plugin, who account.Caller, target string) error {
			_, err := p.Users.Show(p.t.ctx, who, target)
			return err
		}},
		{"list", func(p *Plugin, who account.Caller, _ string) error {
			_, _, err := p.Users.List(p.t.ctx, who, "")
			return err
		}},
		{"check-password", func(p *Plugin, who account.Caller, target string) error {
			_, err := p.Users.CheckPassword(p.t.ctx, who, account.Password{Username: target, Password: p.admin.Password})
			return err
		}},
		{"sessions", func(p *Plugin, who account.Caller, target string) error {
			now := time.Now()
			_, err := p.Users.Sessions(p.t.ctx, who, []account.Session{{
				ID: "s1", Host: host, Username: target, Role: account.User, RemoteAddress: "127.0.0.1:1",
				Listener: account.ManagementListener, ConnectedSince: now, LastActive: now,
			}})
			return err
		}},
	}
	if p.Declares(account.CapabilityApply) {
		all = append(all, read{"plan", func(p *Plugin, who account.Caller, target string) error {
			_, err := p.Users.Plan(p.t.ctx, who, account.Desired{Username: target, Role: account.Admin})
			return err
		}})
	}
	if p.Declares(account.CapabilityExport) {
		all = append(all, read{"export", func(p *Plugin, who account.Caller, _ string) error {
			_, _, err := p.Users.Export(p.t.ctx, who, "")
			return err
		}})
	}
	return all
}

// outcome says what a mutation came to, for a failure's text.
func outcome(c account.Change, err error) string {
	if err != nil {
		return describe(err)
	}
	return fmt.Sprintf("changed %t, repeated %t", c.Changed, c.Repeated)
}

// settled asks again, under the same request id, while others are in the way.
func settled(ask func() (account.Change, error)) (c account.Change, err error) {
	for range 300 {
		if c, err = ask(); account.KindOf(err) != account.KindConflict && account.KindOf(err) != account.KindThrottled {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return c, err
}
