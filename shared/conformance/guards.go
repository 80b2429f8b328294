package conformance

import "github.com/cinchapi/concourse-users/shared/account"

const (
	lastAdminContract   = `rule 7 of docs/design.md: there is always an enabled ADMIN; a delete, suspend, edit or apply that would leave none is refused with FAILED_PRECONDITION, reason LAST_ADMIN, and changes nothing`
	selfSuspendContract = `rule 8 of docs/design.md, and the rpc Suspend: nobody suspends themselves: FAILED_PRECONDITION, reason SELF_SUSPEND, and nothing changes`
)

var guardsCases = []Case{
	{
		Name: "guards/last-admin-is-not-deleted", Contract: lastAdminContract, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("someone", account.User)
			p.guarded("delete the only ADMIN", func(in account.Invocation) error {
				_, err := p.Users.Delete(t.ctx, in, account.Delete{Username: p.Admin.Username})
				return err
			})
		},
	},
	{
		Name: "guards/last-admin-is-not-demoted", Contract: lastAdminContract, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("someone", account.User)
			p.guarded("edit the only ADMIN to be a USER", p.demote)
			p.guarded("edit the only ADMIN to be a USER with another password", func(in account.Invocation) error {
				_, err := p.Users.Edit(t.ctx, in, account.Edit{Username: p.Admin.Username, Role: account.User, Password: NewPassword()})
				return err
			})
			p.Login(p.admin.Username, p.admin.Password) // the password has not changed by half
		},
	},
	{
		Name: "guards/last-admin-is-not-suspended", Contract: lastAdminContract + `. The last enabled ADMIN is the caller: either reason will do`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			_, err := p.Users.Suspend(t.ctx, p.New(), p.Admin.Username)
			if account.ReasonOf(err) != account.ReasonSelfSuspend {
				t.Refused(err, account.KindRefused, account.ReasonLastAdmin, "suspend the only ADMIN")
			}
			p.Untouched(before, "after the refusal")
		},
	},
	{
		Name: "guards/apply-keeps-the-last-admin", Contract: lastAdminContract, Needs: needsApply,
		run: func(t *T) {
			p := t.Open()
			demoted := account.Desired{Username: p.Admin.Username, Role: account.User}
			p.guarded("apply: the only ADMIN a USER", func(in account.Invocation) error {
				_, err := p.Users.Apply(t.ctx, in, demoted)
				return err
			})
			p.guarded("plan: the only ADMIN a USER", func(account.Invocation) error {
				_, err := p.Users.Plan(t.ctx, p.Admin, demoted)
				return err
			})
		},
	},
	{
		Name: "guards/suspended-admins-do-not-count", Contract: lastAdminContract + `; an ADMIN who is suspended does not count`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("deputy", account.Admin)
			p.suspend("deputy")
			p.guarded("edit the only enabled ADMIN to be a USER, beside a suspended ADMIN", p.demote)
			p.guarded("delete the only enabled ADMIN, beside a suspended ADMIN", func(in account.Invocation) error {
				_, err := p.Users.Delete(t.ctx, in, account.Delete{Username: p.Admin.Username})
				return err
			})
			p.enable("deputy")
			c, err := p.Users.Delete(t.ctx, p.New(), account.Delete{Username: p.Admin.Username})
			t.OK(err, "delete the caller, beside another enabled ADMIN")
			t.Came(c, true, "delete the caller, beside another enabled ADMIN")
		},
	},
	{
		Name: "guards/enabled-admins-are-counted-right", Contract: lastAdminContract + `, and nothing else is refused so, by whatever verbs accounts came to be ADMINs and ceased to be`, Needs: needsChange,
		run: countedRight,
	},
	{
		Name: "guards/nobody-suspends-themselves", Contract: selfSuspendContract, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			deputy, _ := p.Create("deputy", account.Admin)
			before := p.holdings()
			for _, c := range []account.Caller{p.Admin, Caller(deputy)} {
				_, err := p.Users.Suspend(t.ctx, As(c), c.Username)
				t.Refused(err, account.KindRefused, account.ReasonSelfSuspend, "suspend the caller, beside another enabled ADMIN")
			}
			p.Untouched(before, "after the refusals")
		},
	},
	{
		Name: "guards/nobody-suspends-themselves-by-apply", Contract: selfSuspendContract + `, nor by an apply`, Needs: needsApply,
		run: func(t *T) {
			p := t.Open()
			p.Create("deputy", account.Admin)
			before := p.holdings()
			suspended := false
			_, err := p.Users.Apply(t.ctx, p.New(), account.Desired{Username: p.Admin.Username, Enabled: &suspended})
			t.Refused(err, account.KindRefused, account.ReasonSelfSuspend, "apply: the caller suspended")
			_, err = p.Users.Plan(t.ctx, p.Admin, account.Desired{Username: p.Admin.Username, Enabled: &suspended})
			t.Refused(err, account.KindRefused, account.ReasonSelfSuspend, "plan: the caller suspended")
			p.Untouched(before, "after the refusals")
		},
	},
}

// guarded notes a change that takes the last enabled ADMIN and is not refused, or
// is refused and leaves something behind.
func (p *Plugin) guarded(what string, ask func(in account.Invocation) error) {
	before := p.holdings()
	p.t.Refused(ask(p.New()), account.KindRefused, account.ReasonLastAdmin, "%s", what)
	if _, err := p.Users.Show(p.t.ctx, p.Admin, p.Admin.Username); err != nil {
		p.t.Fatalf("%s: has ended the caller's session, so that the account is not as it was: %s", what, describe(err))
	}
	p.Untouched(before, "after the refusal to %s", what)
}

// demote asks for the administrator, who is the caller, to be a USER.
func (p *Plugin) demote(in account.Invocation) error {
	_, err := p.Users.Edit(p.t.ctx, in, account.Edit{Username: p.Admin.Username, Role: account.User})
	return err
}

func countedRight(t *T) {
	p := t.Open()
	role := func(r account.Role) { p.edit(account.Edit{Username: "deputy", Role: r}) }
	suspend, enable := func() { p.suspend("deputy") }, func() { p.enable("deputy") }
	for _, way := range []struct {
		name  string
		steps []func()
	}{
		{"created and suspended twice", []func(){func() { p.Create("deputy", account.Admin) }, suspend, suspend}},
		{"enabled twice, made an ADMIN again, and made a USER", []func(){enable, enable, func() { role(account.Admin) }, func() { role(account.User) }}},
		{"made an ADMIN, suspended, made a USER, enabled", []func(){func() { role(account.Admin) }, suspend, func() { role(account.User) }, enable}},
		{"suspended as a USER, made an ADMIN", []func(){suspend, func() { role(account.Admin) }}},
		{"deleted as a suspended ADMIN", []func(){func() { p.delete("deputy") }}},
		{"created as an ADMIN, given a password and a grant, and deleted", []func(){
			func() { p.Create("deputy", account.Admin) }, func() { p.password("deputy", NewPassword()) },
			func() { p.grant("deputy", "e", account.Read) }, func() { p.delete("deputy") },
		}},
	} {
		for _, step := range way.steps {
			step()
		}
		t.Refused(p.demote(p.New()), account.KindRefused, account.ReasonLastAdmin, "make the only enabled ADMIN a USER, after another was %s", way.name)
		if t.failed() {
			return
		}
	}
	deputy, _ := p.Create("deputy", account.Admin)
	t.OK(p.demote(p.New()), "make the caller a USER, beside another enabled ADMIN")
	_, err := p.Users.Edit(t.ctx, As(Caller(deputy)), account.Edit{Username: "deputy", Role: account.User})
	t.Refused(err, account.KindRefused, account.ReasonLastAdmin, "make the ADMIN who is left a USER")
}
