package soak_test

import (
	"fmt"
	"strings"
	"time"
)

// Bounds of the front door's judge, generous: a machine may be slow.
const (
	abortWithin = 20 * time.Second // of the answer that ended a session, or took a right away
	lostFor     = 2 * time.Second  // a right that comes back sooner need not have cost a transaction
	recovering  = time.Second      // after an outage, when some may still suffer from it
)

// doorJudge holds what clients were told, round by round, against what
// administrators were told and what the upstream recorded.
type doorJudge struct {
	service string // the host's own account upstream
	wrong   func(format string, args ...any)

	outages []outage
	tokens  map[string]bool                         // that clients were given
	logins  map[string]*login                       // by the upstream's token
	asked   map[int64]*call                         // by number, of the last round
	open    map[transactionKey]*upstreamTransaction // staged upstream and not ended there
	counts  doorTally
}

// transactionKey is what the upstream knows a transaction by.
type transactionKey struct {
	token     string
	timestamp int64
}

type upstreamTransaction struct {
	environment string
	at          time.Duration
}

// doorTally is how often what was seen.
type doorTally struct {
	attempts, calls, due, arrivals, staged, committed, aborted int
	outcomes                                                   [lost + 1]int
}

func (n doorTally) String() string {
	s := fmt.Sprintf("%d logins, %d calls, of which %d had to be served:", n.attempts, n.calls, n.due)
	for o, times := range n.outcomes {
		s += fmt.Sprintf(" %d %v,", times, outcome(o))
	}
	return s + fmt.Sprintf(" %d came upstream, of which %d were staged, %d committed and %d aborted", n.arrivals, n.staged, n.committed, n.aborted)
}

func newDoorJudge(service string, wrong func(format string, args ...any)) *doorJudge {
	return &doorJudge{
		service: service, wrong: wrong, tokens: map[string]bool{}, logins: map[string]*login{}, asked: map[int64]*call{},
		open: map[transactionKey]*upstreamTransaction{},
	}
}

// round judges what happened since the last. Nothing is under way meanwhile.
func (j *doorJudge) round(r round) {
	w := newArrivals(j, r)
	for _, a := range r.attempts {
		j.attempt(a)
	}
	for _, c := range r.calls {
		j.eachCall(c)
	}
	for _, a := range r.arrivals {
		w.arrival(a)
	}
	w.complete(r)
	j.asked = w.calls
	j.leftOpen(r.now)
}

// attempt judges how a login ended. One that is told to come again is told
// nothing else.
func (j *doorJudge) attempt(a attempt) {
	j.counts.attempts++
	right, wrong := a.credentials()
	switch {
	case a.outcome == served && wrong:
		j.wrong("somebody got in who must not:\n%v\n%v", a, a.person.changes)
	case a.outcome == refusedToken && right:
		j.wrong("credentials that are good were refused:\n%v\n%v", a, a.person.changes)
	case a.outcome == served, a.outcome == refusedToken:
	case a.outcome != failed:
		j.wrong("a login got no answer, or none that can be understood:\n%v", a)
	case !strings.Contains(a.err.Error(), "try again") && !j.meets(a.began, a.ended, ofPlugin, ofLease):
		j.wrong("a login failed without a reason:\n%v", a)
	}
}

// eachCall judges how a call ended.
func (j *doorJudge) eachCall(c *call) {
	j.counts.calls++
	j.counts.outcomes[c.outcome]++
	least, _ := c.login.person.held(c.environment, c.began, c.ended)
	good, allowed, kept := c.login.surelyGood(c.ended), least >= c.needs, c.in == nil || j.surelyOpen(c)
	met := j.meets(c.began, c.ended, ofUpstream, ofLease)
	if good && allowed && kept && !met {
		j.counts.due++
		if c.outcome != served {
			j.wrong("a call that had to be served was not:\n%v", c)
			return
		}
	}
	switch {
	case c.outcome == served:
		j.letIn(c)
	case c.outcome == lost:
		j.wrong("a call got no answer, or none that can be understood:\n%v", c)
	case c.outcome == refusedToken && good:
		j.wrong("a live token was refused:\n%v", c)
	case c.outcome == refusedPermission && allowed:
		j.wrong("a right that was held was not honoured:\n%v", c)
	case c.outcome == refusedTransaction && good && kept:
		j.wrong("a transaction that was open was refused:\n%v", c)
	case c.outcome == closed && !j.meets(c.began, c.ended, ofUpstream):
		j.wrong("a connection was closed without a reason:\n%v", c)
	case c.outcome == failed && good && kept && !met:
		j.wrong("a call failed without a reason:\n%v", c)
	}
}

// letIn judges a call that was served, or reached the upstream.
func (j *doorJudge) letIn(c *call) {
	if !c.login.mayBeGood(c.began) {
		j.wrong("a call was let in with a token that had ended:\n%v\n%v", c, c.login.person.changes)
	}
	if _, most := c.login.person.held(c.environment, c.began, c.ended); most < c.needs {
		j.wrong("a call was let in that needs %v, with %v:\n%v\n%v", c.needs, most, c, c.login.person.changes)
	}
}

// meets reports whether one of those was out meanwhile.
func (j *doorJudge) meets(from, to time.Duration, those ...string) bool {
	for _, o := range j.outages {
		for _, of := range those {
			if o.of == of && o.from <= to && from <= o.to {
				return true
			}
		}
	}
	return false
}

// surelyOpen reports whether nothing may have ended the transaction that a call is
// in.
func (j *doorJudge) surelyOpen(c *call) bool {
	since := c.in.staged.began
	least, _ := c.login.person.held(c.in.environment, since, c.ended)
	return c.in.environment == c.environment && least >= reading && !j.meets(since, c.ended, ofUpstream)
}

// leftOpen judges what is open upstream, and should not be any more.
func (j *doorJudge) leftOpen(now time.Duration) {
	for key, tx := range j.open {
		if late := j.late(key, tx, now); late > 0 {
			j.wrong("a transaction in '%s', staged at %v, is open upstream %v after its session ended, or lost the right: %v",
				tx.environment, tx.at, late, j.logins[key.token].person.changes)
			delete(j.open, key)
		}
	}
}

// late returns by how much a transaction that ends now, or is open still, is
// beyond its bound.
func (j *doorJudge) late(key transactionKey, tx *upstreamTransaction, now time.Duration) time.Duration {
	l := j.logins[key.token]
	if l == nil {
		return 0 // whose it is shows later, or at the end
	}
	late := time.Duration(0)
	if at, over := l.overAt(tx.at); over {
		late = now - max(at, tx.at) - abortWithin
	}
	if at, lost := l.person.lostIn(tx.environment, tx.at, lostFor); lost {
		late = max(late, now-at-abortWithin)
	}
	return late
}

// finish judges what is left when every client has gone, for longer than the
// bound.
func (j *doorJudge) finish() {
	for _, tx := range j.open {
		j.wrong("a transaction in '%s', staged at %v, is open upstream after everybody has gone", tx.environment, tx.at)
	}
}
