package fault_test

import (
	"github.com/cinchapi/concourse-users/shared/account"
)

// refusal is how a change is refused by the account that it meets.
type refusal struct {
	kind   account.Kind
	reason account.Reason
}

var (
	fine          refusal
	notFound      = refusal{kind: account.KindNotFound}
	alreadyExists = refusal{kind: account.KindAlreadyExists}
	lastAdmin     = refusal{account.KindRefused, account.ReasonLastAdmin}
	selfSuspend   = refusal{account.KindRefused, account.ReasonSelfSuspend}
	noPassword    = refusal{kind: account.KindInvalid}
)

func refusalOf(err error) refusal { return refusal{account.KindOf(err), account.ReasonOf(err)} }

// effect says what a change makes of its target, or how it is refused, by the
// rules that the user guide states. Whether it leaves an enabled ADMIN is not
// this account's matter alone.
func (c *call) effect(was state) (is state, how refusal) {
	is = was
	verb := c.verb
	if verb == verbPlan {
		verb = account.VerbApply
	}
	if !was.exists {
		switch {
		case verb == account.VerbCreate, verb == account.VerbApply && c.password != 0:
			return c.anew(), fine
		case verb == account.VerbDelete && c.lenient:
			return was, fine
		case verb == account.VerbApply:
			return was, noPassword
		}
		return was, notFound
	}
	switch verb {
	case account.VerbCreate:
		if !c.lenient {
			return was, alreadyExists
		}
	case account.VerbDelete:
		return state{}, fine
	case account.VerbEdit, account.VerbPassword:
		is.become(c.role)
		is.enter(c.password)
	case account.VerbSuspend:
		if c.oneself(was) {
			return was, selfSuspend
		}
		is.enable(false)
	case account.VerbEnable:
		is.enable(true)
	case account.VerbGrant:
		is.rights |= right(c.environment, c.permission)
	case account.VerbRevoke:
		is.rights &^= both(c.environment)
	case account.VerbApply:
		is.become(c.role)
		if c.enabled != nil && *c.enabled != was.enabled {
			if c.oneself(was) {
				return was, selfSuspend
			}
			is.enable(*c.enabled)
		}
		if c.rights != nil {
			is.rights = *c.rights
		}
		if c.password != was.password { // the one that it has stays
			is.enter(c.password)
		}
	}
	return is, fine
}

func (c *call) anew() state {
	is := state{exists: true, generation: 1, role: c.role, enabled: c.enabled == nil || *c.enabled, password: c.password}
	if is.role == "" {
		is.role = account.User
	}
	if c.rights != nil {
		is.rights = *c.rights
	}
	return is
}

// oneself reports whether the caller is its own target.
func (c *call) oneself(target state) bool {
	return c.by != nil && c.by.name == c.target && (c.by.id == "" || target.id == "" || c.by.id == target.id)
}

func (s *state) become(r account.Role) {
	if r != "" && r != s.role {
		s.role = r
		s.generation++
	}
}

func (s *state) enable(yes bool) {
	if s.enabled != yes {
		s.enabled = yes
		s.generation++
	}
}

func (s *state) enter(password int) {
	if password != 0 {
		s.password = password
		s.generation++
	}
}
