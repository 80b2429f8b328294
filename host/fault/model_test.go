package fault_test

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cinchapi/concourse-users/shared/account"
)

// part is what one call says of one account. What a call changes and what its
// answer shows are two parts where the answer came from the record.
type part int

const (
	took    part = iota // it took effect, and was answered at once
	tookOf              // it took effect; the answer came later
	may                 // it takes effect, or not, at any time from now on
	refused             // it was refused
	saw                 // its answer shows the account
	preview             // a plan was made of the account
	stood               // the caller was what its session says
	entered             // a login, or what refused it
	knew                // the password was checked
)

// step is a call's part in one account's history, what porcupine orders.
type step struct {
	*call
	part  part
	name  string
	found seen // of saw
}

// from says what becomes of the account, and whether the call may have been
// answered so.
func (s step) from(was state) (state, bool) {
	switch s.part {
	case took, tookOf, preview:
		return s.take(was)
	case may:
		if is, how := s.effect(was); how == fine {
			return is, true
		}
		return was, true
	case refused:
		is, how := s.effect(was)
		if refusalOf(s.err) == lastAdmin {
			return was, how == fine && was.administers() && !is.administers()
		}
		return was, how == refusalOf(s.err)
	case saw:
		return was.as(s.found)
	case stood:
		if was.exists && was.id == "" {
			was.id = s.by.id
		}
		return was, was.administers() && was.id == s.by.id && was.generation == s.by.generation
	case entered:
		return was, refusalOf(s.err) == s.enter(was)
	case knew:
		return was, was.exists && s.matches == (was.password == s.password)
	}
	panic(fmt.Sprintf("no such part: %d", s.part))
}

// take holds what was answered against what the change makes of the account.
func (s step) take(was state) (state, bool) {
	if s.before != nil {
		var ok bool
		if was, ok = was.as(*s.before); !ok {
			return was, false
		}
	}
	is, how := s.effect(was)
	// An id is new with the account; what is lenient changes nothing.
	if how != fine || s.changed != (is != was) {
		return was, false
	}
	ok := true
	if s.part != tookOf {
		is, ok = is.as(s.found)
	}
	if s.part == preview {
		is = was
	}
	return is, ok
}

// enter says how a login ends.
func (c *call) enter(is state) refusal {
	switch {
	case !is.exists || is.password != c.password:
		return refusal{kind: account.KindNotAuthenticated}
	case !is.enabled:
		return refusal{account.KindNotPermitted, account.ReasonSuspended}
	case is.role != account.Admin:
		return refusal{account.KindNotPermitted, account.ReasonNeedsAdmin}
	}
	return fine
}

// never is later than everything.
const never = time.Duration(math.MaxInt64)

// steps returns the parts of a call, as porcupine takes them.
func (c *call) steps() (all []porcupine.Operation) {
	add := func(p part, name string, from, to time.Duration, found seen) {
		all = append(all, porcupine.Operation{
			Input: step{call: c, part: p, name: name, found: found}, Call: int64(from), Return: int64(to),
		})
	}
	of := func(p part) { add(p, c.target, c.asked, c.ended, seen{}) }
	shown := func() {
		if !c.found[0].outlived {
			add(saw, c.target, c.asked, c.ended, c.found[0])
		}
	}
	switch how := refusalOf(c.err); {
	case c.unknown || c.of != nil && c.err != nil:
		if c.changes() && c.of == nil {
			add(may, c.target, c.began, never, seen{})
		}
		return all
	case c.verb == verbLogin:
		switch how.kind {
		case 0, account.KindNotAuthenticated, account.KindNotPermitted:
			of(entered)
		}
		return all
	case c.verb == verbRequest || c.verb == verbDisconnect || how.kind == account.KindConflict || !c.accepted():
		return all
	case c.err != nil && (c.changes() || c.verb == verbPlan):
		of(refused)
	case c.err != nil: // not found
		of(saw)
	case c.verb == verbCheck:
		of(knew)
	case c.verb == verbPlan:
		add(preview, c.target, c.asked, c.ended, c.found[0])
	case c.verb == verbShow:
		shown()
	case c.verb == verbList, c.verb == verbExport:
		for _, name := range names {
			found := seen{}
			for _, s := range c.found {
				if s.name == name {
					found = s
				}
			}
			add(saw, name, c.asked, c.ended, found)
		}
	case !c.changes():
	case c.of != nil:
		shown()
		return all
	case c.repeated:
		add(tookOf, c.target, c.began, c.ended, seen{})
		shown()
	default:
		add(took, c.target, c.asked, c.ended, c.found[0])
	}
	// A record is looked up before the caller's rights. The command line's
	// sessions are not told apart.
	if c.by.id != "" && !c.repeated && c.tries == 1 {
		add(stood, c.by.name, c.asked, c.ended, seen{})
	}
	return all
}

// modelOf is the model of one account that began as was.
func modelOf(was state) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return was },
		Step: func(s, input, _ any) (bool, any) {
			is, ok := input.(step).from(s.(state))
			return ok, is
		},
	}
}

// court is what the accounts are that may be ADMINs.
type court [len(admins)]state

func (c court) standing() (n int) {
	for _, s := range c {
		if s.administers() {
			n++
		}
	}
	return n
}

// modelOfAdmins is the model of all accounts that may be ADMINs, of which one
// always is and is enabled (rule 7).
func modelOfAdmins(was court) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return was },
		Step: func(s, input, _ any) (bool, any) {
			c, one := s.(court), input.(step)
			for i, name := range admins {
				if name != one.name {
					continue
				}
				last := c[i].administers() && c.standing() == 1
				is, ok := one.from(c[i])
				if one.part == refused && refusalOf(one.err) == lastAdmin {
					return ok && last, c
				}
				falls := last && !is.administers()
				if falls && one.part == may {
					return true, c
				}
				c[i] = is
				return ok && !falls, c
			}
			return false, c
		},
	}
}
