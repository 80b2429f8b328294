package fault_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The calls that change nothing. Those that change are named by their verbs.
const (
	verbLogin      account.Verb = "login"
	verbRequest    account.Verb = "request" // only the host answers: a check of the token
	verbShow       account.Verb = "show"
	verbList       account.Verb = "list"
	verbExport     account.Verb = "export"
	verbPlan       account.Verb = "plan"
	verbCheck      account.Verb = "check-password"
	verbSessions   account.Verb = "sessions"
	verbDisconnect account.Verb = "disconnect"
)

// call is one thing that a client asked for, and what it was told in the end.
// Its times are those since the scene's beginning.
type call struct {
	client string   // which one asked
	by     *session // of the first attempt; nil: a login
	over   *session // of the last attempt, of the same account
	verb   account.Verb
	target string // a username; empty: none
	id     account.RequestID
	of     *call // what is asked for again, although it was answered
	wish

	began time.Duration // the first attempt
	asked time.Duration // the last attempt
	ended time.Duration // the last answer
	tries int

	err     error // of the last attempt; nil: success
	unknown bool  // err says nothing about whether it took effect

	changed bool
	matches bool   // of verbCheck
	found   []seen // the account after it; of a plan before it; of a listing all that there are
	before  *seen  // of an apply, if it told

	repeated bool // the audit log says that the outcome came from the record
}

// wish is what a call says of its target.
type wish struct {
	role        account.Role
	password    int // of passwords; 0: none
	enabled     *bool
	rights      *rights // exactly these
	permission  account.Permission
	environment int  // of environments
	lenient     bool // --if-not-exists, --if-exists
}

// seen is what an answer says of one account.
type seen struct {
	name string
	state
	partial  bool // neither id nor generation are told
	outlived bool // nothing is told: the name is another account's
}

func seenOf(a account.Account) seen {
	return seen{name: a.Username, state: state{
		exists: true, id: a.ID, generation: a.Generation, role: a.Role, enabled: a.Enabled, rights: rightsOf(a.Grants),
	}}
}

// changes reports whether the verb may change an account.
func (c *call) changes() bool {
	switch c.verb {
	case verbLogin, verbRequest, verbShow, verbList, verbExport, verbPlan, verbCheck, verbSessions, verbDisconnect:
		return false
	}
	return true
}

// accepted reports whether the caller was let in.
func (c *call) accepted() bool {
	switch account.KindOf(c.err) {
	case account.KindNotAuthenticated, account.KindNotPermitted, account.KindUnavailable, account.KindThrottled, account.KindInternal, account.KindOutcomeUnknown:
		return false
	}
	return true
}

func (c *call) String() string {
	text := fmt.Sprintf("%9.6f-%9.6f %s", c.began.Seconds(), c.ended.Seconds(), c.client)
	if c.by != nil {
		text += fmt.Sprintf(" as %s/%.4s/%d", c.by.name, c.by.id, c.by.generation)
	}
	text += fmt.Sprintf(": %s %s", c.verb, c.target)
	if c.role != "" {
		text += " " + string(c.role)
	}
	if c.password != 0 {
		text += fmt.Sprintf(" password %d", c.password)
	}
	if c.enabled != nil {
		text += fmt.Sprintf(" enabled=%v", *c.enabled)
	}
	if c.rights != nil {
		text += fmt.Sprintf(" rights=%06b", *c.rights)
	}
	if c.verb == account.VerbGrant || c.verb == account.VerbRevoke {
		text += fmt.Sprintf(" %s in %s", c.permission, environments[c.environment])
	}
	switch {
	case c.unknown:
		text += " -> unknown"
	case c.err != nil:
		text += fmt.Sprintf(" -> %v %s", account.KindOf(c.err), account.ReasonOf(c.err))
	default:
		text += fmt.Sprintf(" -> changed=%v matches=%v", c.changed, c.matches)
		for _, s := range c.found {
			if c.verb != verbList && c.verb != verbExport {
				text += " " + s.String()
			}
		}
	}
	if c.tries > 1 {
		text += fmt.Sprintf(" (%d tries, the last at %.6f)", c.tries, c.asked.Seconds())
	}
	if c.of != nil {
		text += " (asked again)"
	}
	if c.repeated {
		text += " (from the record)"
	}
	return text
}

// history is what clients were told, in no order.
type history struct {
	start time.Time

	mu    sync.Mutex
	calls []*call
}

func (h *history) now() time.Duration { return time.Since(h.start) }

func (h *history) add(c *call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
}

// take returns the calls since the last time.
func (h *history) take() []*call {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := h.calls
	h.calls = nil
	return calls
}

func (h *history) count(so func(*call) bool) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.calls {
		if so(c) {
			n++
		}
	}
	return n
}

// lastCalls tells the newest calls that were not taken.
func (h *history) lastCalls() string {
	const most = 40
	calls := h.take()
	slices.SortFunc(calls, func(a, b *call) int { return cmp.Compare(a.ended, b.ended) })
	var b strings.Builder
	for _, c := range calls[max(len(calls)-most, 0):] {
		fmt.Fprintln(&b, c)
	}
	return b.String()
}
