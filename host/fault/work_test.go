package fault_test

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

// step makes one call.
func (c *client) step(ctx context.Context) {
	if !c.enter(ctx) {
		return
	}
	k := &call{client: c.name, by: c.session, began: c.now()}
	c.choose(k)
	c.carry(ctx, k)
	if k.changes() && k.err == nil && c.draw.IntN(10) == 0 {
		k = &call{client: c.name, by: c.session, verb: k.verb, target: k.target, id: k.id, of: k, wish: k.wish, began: c.now()}
		c.carry(ctx, k)
	}
	switch account.KindOf(k.err) {
	case account.KindNotAuthenticated, account.KindNotPermitted, account.KindOutcomeUnknown, account.KindInternal:
		c.leave()
	case account.KindUnavailable:
		if c.session.connection.Lost() {
			c.leave()
		}
	}
}

func pick[T any](draw *rand.Rand, from []T) T { return from[draw.IntN(len(from))] }

// choose draws what to ask for. Administrators are felled about as often as they
// are raised, and what needs a hash comes seldom.
func (c *client) choose(k *call) {
	d := c.draw
	if c.battle.Load() && d.IntN(4) == 0 {
		c.fell(k)
		return
	}
	k.target = pick(d, names)
	role := func() account.Role {
		if slices.Contains(admins[:], k.target) && d.IntN(2) == 0 {
			return account.Admin
		}
		return account.User
	}
	password := func() int { return 1 + d.IntN(len(passwords)-1) }
	k.environment = d.IntN(len(environments))
	k.permission = pick(d, []account.Permission{account.Read, account.Write})
	switch n := d.IntN(100); {
	case n < 14:
		k.verb = account.VerbGrant
	case n < 24:
		k.verb = account.VerbRevoke
	case n < 33:
		k.verb = account.VerbSuspend
	case n < 42:
		k.verb = account.VerbEnable
	case n < 50:
		k.verb, k.role = account.VerbEdit, role()
	case n < 52:
		k.verb, k.role, k.password = account.VerbEdit, role(), password()
	case n < 54:
		k.verb, k.password = account.VerbEdit, password()
	case n < 56:
		k.verb, k.password = account.VerbPassword, password()
	case n < 61:
		k.verb, k.lenient = account.VerbDelete, d.IntN(4) == 0
	case n < 68:
		k.verb, k.role, k.password, k.lenient = account.VerbCreate, role(), password(), d.IntN(3) == 0
	case n < 76:
		k.verb = account.VerbApply
		c.desire(k, role, password)
	case n < 78:
		k.verb = verbPlan
		c.desire(k, role, password)
	case n < 80:
		k.verb, k.password = verbCheck, password()
	case n < 92:
		k.verb = verbShow
	case n < 95:
		k.verb, k.target = verbList, ""
	case n < 96:
		k.verb, k.target = verbExport, ""
	case n < 97:
		k.verb = verbDisconnect
	case n < 98:
		k.verb, k.target = verbSessions, ""
	default:
		k.verb, k.target = verbRequest, ""
	}
}

// fell draws how an administrator is to fall. In the end one is left.
func (c *client) fell(k *call) {
	k.target = pick(c.draw, admins[:])
	switch c.draw.IntN(4) {
	case 0:
		k.verb = account.VerbSuspend
	case 1:
		k.verb = account.VerbDelete
	case 2:
		k.verb, k.role = account.VerbEdit, account.User
	default:
		k.verb, k.role = account.VerbApply, account.User
	}
}

// desire draws what an account is to be.
func (c *client) desire(k *call, role func() account.Role, password func() int) {
	d := c.draw
	if d.IntN(2) == 0 {
		k.role = role()
	}
	if d.IntN(2) == 0 {
		enabled := d.IntN(3) > 0
		k.enabled = &enabled
	}
	if d.IntN(2) == 0 {
		r := rights(d.IntN(1 << (2 * len(environments))))
		k.rights = &r
	}
	if d.IntN(4) == 0 {
		k.password = password()
	}
}

// command makes one call with the command line, which logs in by itself.
func (c *client) command(ctx context.Context) {
	name, password := c.beliefs.pick(c.draw)
	if name == "" {
		return
	}
	k := &call{client: c.name, by: &session{name: name, password: password}, began: c.now()}
	for c.choose(k); !k.commandable(); c.choose(k) {
		k.wish = wish{}
	}
	c.carry(ctx, k)
}

// commandable leaves out what prints for people, or reads a file.
func (c *call) commandable() bool {
	switch c.verb {
	case account.VerbApply, verbPlan, verbExport, verbSessions, verbRequest, verbDisconnect:
		return false
	}
	return true
}

// watch shows the token of a session.
func (c *client) watch(ctx context.Context) {
	if !c.enter(ctx) {
		return
	}
	k := &call{client: c.name, by: c.session, verb: verbRequest, began: c.now()}
	if c.carry(ctx, k); k.err != nil && (account.KindOf(k.err) != account.KindUnavailable || c.session.connection.Lost()) {
		c.leave()
	}
}
