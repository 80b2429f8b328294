package fault_test

import (
	"github.com/cinchapi/concourse-users/shared/account"
)

// revokes reports whether the call's success ended every earlier token of its
// target. Of an apply that was answered from the record it is not known.
func (c *call) revokes() bool {
	if c.err != nil || !c.changes() || c.of != nil || c.found[0].outlived {
		return false
	}
	switch c.verb {
	case account.VerbDelete, account.VerbSuspend, account.VerbPassword:
		return true
	case account.VerbEdit:
		return c.password != 0 || c.changed
	case account.VerbApply:
		return c.before != nil && c.before.exists && c.before.generation != c.found[0].generation
	}
	return false
}

// tokens finds calls that were let in with a token from before a revocation
// that had been answered (rule 3).
func (j *judge) tokens(calls []*call) {
	revocations := map[string][]*call{}
	for _, c := range calls {
		if c.revokes() {
			revocations[c.target] = append(revocations[c.target], c)
		}
	}
	for _, c := range calls {
		if c.over == nil || c.over.connection == nil || !c.accepted() {
			continue
		}
		if c.over.opened < j.revoked[c.over.name] {
			j.wrong("a token that was revoked in an earlier round was let in:\n%v", c)
		}
		for _, r := range revocations[c.over.name] {
			if c.over.opened < r.began && r.ended < c.asked {
				j.wrong("a token that was revoked was let in:\n%v\n%v", r, c)
				break
			}
		}
	}
	for name, all := range revocations {
		for _, r := range all {
			j.revoked[name] = max(j.revoked[name], r.began)
		}
	}
}

// sessions finds calls that were told that their session has ended although
// nothing can have ended it: no fault of a process may cost sessions anything
// but the connection.
func (j *judge) sessions(calls []*call) {
	endings := map[string][]*call{}
	for _, c := range calls {
		if (c.changes() || c.verb == verbDisconnect) && (c.err == nil || c.unknown || c.tries > 1) {
			endings[c.target] = append(endings[c.target], c)
		}
	}
	for _, c := range calls {
		if c.over == nil || c.over.connection == nil || account.KindOf(c.err) != account.KindNotAuthenticated {
			continue
		}
		explained := j.ended[c.over.name] > c.over.began
		for _, e := range endings[c.over.name] {
			explained = explained || e.ended > c.over.began && e.began < c.ended
		}
		if !explained {
			j.wrong("a session was ended and nothing ended it:\n%v", c)
		}
	}
	for name, all := range endings {
		for _, e := range all {
			j.ended[name] = max(j.ended[name], e.ended)
		}
	}
}

// leases finds calls that were let in past the lease (rule 5): they were asked
// for when the plugin had been stopped for longer than that, and answered while
// it still was.
func (j *judge) leases(calls []*call) {
	for _, w := range j.stops {
		for _, c := range calls {
			if c.over != nil && c.accepted() && c.asked >= w.from+lease && c.ended <= w.to {
				j.wrong("the plugin was stopped from %v to %v, with a lease of %v, and this was let in:\n%v", w.from, w.to, lease, c)
			}
		}
	}
}
