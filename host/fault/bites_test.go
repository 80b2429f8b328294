package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// made is a history that a test makes up: one call follows the other, a second
// apart, unless it says otherwise.
type made struct {
	*judge
	now   time.Duration
	is    map[string]state // what truly becomes of the accounts
	calls []*call
	mu    sync.Mutex // guards found
	found []string   // what is wrong
	line  uint64
}

func newMade() *made {
	m := &made{judge: newJudge(""), is: map[string]state{}}
	m.wrong = func(format string, args ...any) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.found = append(m.found, fmt.Sprintf(format, args...))
	}
	for _, name := range admins[:2] {
		m.is[name] = state{exists: true, id: account.ID(name + "'s"), generation: 1, role: account.Admin, enabled: true, password: 1}
	}
	m.is["jeff"] = state{exists: true, id: "jeff's", generation: 1, role: account.User, enabled: true, password: 1}
	for name, is := range m.is {
		m.known[name] = is
	}
	return m
}

// session is one that the account has opened at the very beginning.
func (m *made) session(name string) *session {
	return &session{name: name, id: m.known[name].id, generation: m.known[name].generation, connection: &management.Client{}}
}

func (m *made) add(c *call) {
	m.now += time.Second
	c.began, c.asked, c.ended, c.tries = m.now, m.now, m.now+time.Second/2, 1
	if c.by == nil && c.verb != verbLogin {
		c.by = m.session(admins[0])
	}
	c.over = c.by
	c.id = account.NewRequestID(time.Unix(int64(m.now/time.Second), 0))
	m.calls = append(m.calls, c)
}

// refuse adds a call that is refused.
func (m *made) refuse(c *call, err error) {
	m.add(c)
	c.err = err
}

// ask adds a call that is answered as it must be, and carried out.
func (m *made) ask(c *call) *call {
	m.add(c)
	was := m.is[c.target]
	if !c.changes() {
		c.found = []seen{{name: c.target, state: was}}
		c.matches = was.password == c.password
		return c
	}
	is, _ := c.effect(was)
	if is.exists && is.id == "" {
		is.id = account.ID(fmt.Sprintf("id %v", m.now))
	}
	c.found, c.changed = []seen{{name: c.target, state: is}}, is != was
	m.is[c.target] = is
	m.tell(c, "")
	return c
}

// tell adds the line of a change to the audit log.
func (m *made) tell(c *call, detail string) {
	m.line++
	m.ledger.enter(audit.Entry{
		Seq: m.line, Event: audit.Change, Outcome: audit.OK, Verb: c.verb, Target: c.target,
		RequestID: c.id.String(), Changed: &c.changed, Detail: detail,
	})
}

func (m *made) suspend(name string) *call {
	return m.ask(&call{verb: account.VerbSuspend, target: name})
}

func (m *made) show(name string) *call { return m.ask(&call{verb: verbShow, target: name}) }

func (m *made) judgeAll() {
	m.ledger.judge(m.calls, m.wrong)
	m.eachCall(m.calls, false)
	m.tokens(m.calls)
	m.sessions(m.calls)
	m.leases(m.calls)
	m.order(m.calls)
	m.ledger.finish(m.wrong)
}

// TestFaultModelsBite shows that the judges find what they are for.
func TestFaultModelsBite(t *testing.T) {
	t.Parallel()
	const noOrder = "no order of the calls that meet 'jeff'"
	for name, c := range map[string]struct {
		then func(m *made)
		want string // "": nothing
	}{
		"Fine": {func(m *made) {
			m.show("jeff")
			m.suspend("jeff")
			m.ask(&call{verb: account.VerbEnable, target: "jeff"})
			m.ask(&call{verb: account.VerbGrant, target: "jeff", wish: wish{permission: account.Read, environment: 1}})
			m.ask(&call{verb: account.VerbEdit, target: "jeff", wish: wish{role: account.User, password: 2}})
			m.ask(&call{verb: verbCheck, target: "jeff", wish: wish{password: 2}})
			m.ask(&call{verb: account.VerbDelete, target: "jeff"})
			m.refuse(&call{verb: verbShow, target: "jeff"}, account.NotFound("jeff"))
			m.ask(&call{verb: account.VerbCreate, target: "jeff", wish: wish{role: account.User, password: 3}})
			m.suspend(admins[1])
			m.refuse(&call{verb: account.VerbDelete, target: admins[0]}, account.Refused(account.ReasonLastAdmin, "", ""))
			m.show(admins[0])
		}, ""},
		"Lost": {func(m *made) {
			was := m.is["jeff"]
			m.suspend("jeff")
			m.is["jeff"] = was
			m.show("jeff")
		}, noOrder},
		"LostAndDoneLater": {func(m *made) {
			was := m.is["jeff"]
			m.suspend("jeff")
			now := m.is["jeff"]
			m.is["jeff"] = was
			m.show("jeff")
			m.is["jeff"] = now
			m.show("jeff")
		}, noOrder},
		"UnknownIsFree": {func(m *made) {
			was := m.is["jeff"]
			m.suspend("jeff").unknown = true
			now := m.is["jeff"]
			m.is["jeff"] = was
			m.show("jeff")
			m.is["jeff"] = now
			m.show("jeff")
		}, ""},
		"UnknownIsFreeOnce": {func(m *made) {
			was := m.is["jeff"]
			m.suspend("jeff").unknown = true
			now := m.is["jeff"]
			m.show("jeff")
			m.is["jeff"] = was
			m.show("jeff")
			m.is["jeff"] = now
			m.show("jeff")
		}, noOrder},
		"Twice": {func(m *made) {
			m.ask(&call{verb: account.VerbPassword, target: "jeff", wish: wish{password: 2}})
			is := m.is["jeff"]
			is.generation++
			m.is["jeff"] = is
			m.show("jeff")
		}, noOrder},
		"TwoLines": {func(m *made) {
			m.tell(m.suspend("jeff"), "")
		}, "says 2 times that it took effect"},
		"NoLine": {func(m *made) {
			m.suspend("jeff").id = account.NewRequestID(time.Now())
		}, "the audit log has 0 lines"},
		"LineOfARefusal": {func(m *made) {
			c := m.suspend("jeff")
			c.err = account.NotFound("jeff")
		}, "refused, and the audit log has 1 lines"},
		"NobodyAsked": {func(m *made) {
			m.tell(&call{verb: account.VerbSuspend, target: "jeff", id: account.NewRequestID(time.Now())}, "")
		}, "nobody asked for"},
		"AnotherOutcomeAgain": {func(m *made) {
			first := m.suspend("jeff")
			m.show("jeff")
			again := m.calls[len(m.calls)-1]
			again.verb, again.of, again.id = account.VerbSuspend, first, first.id
		}, "told something else"},
		"WrongChanged": {func(m *made) {
			m.suspend("jeff")
			c := m.suspend("jeff")
			c.changed = true
			m.ledger.of[c.id.String()].changed = map[bool]int{true: 1}
		}, noOrder},
		"WrongAnswer":  {func(m *made) { m.suspend("jeff").found[0].enabled = true }, noOrder},
		"WrongRefusal": {func(m *made) { m.refuse(&call{verb: verbShow, target: "jeff"}, account.NotFound("jeff")) }, noOrder},
		"StaleRead": {func(m *made) {
			m.suspend("jeff")
			m.show("jeff").found[0].state = m.known["jeff"]
		}, noOrder},
		"NewIDForAnOldAccount": {func(m *made) { m.show("jeff").found[0].id = "another's" }, noOrder},
		"LoginAfterSuspension": {func(m *made) {
			m.suspend(admins[1])
			m.ask(&call{verb: verbLogin, target: admins[1], wish: wish{password: 1}})
		}, "that meet '" + admins[1] + "'"},
		"LoginWithTheOldPassword": {func(m *made) {
			m.ask(&call{verb: account.VerbPassword, target: admins[1], wish: wish{password: 2}})
			m.ask(&call{verb: verbLogin, target: admins[1], wish: wish{password: 1}})
		}, "that meet '" + admins[1] + "'"},
		"CallerHasFallen": {func(m *made) {
			m.suspend(admins[1])
			m.ask(&call{by: m.session(admins[1]), verb: account.VerbSuspend, target: "jeff"})
		}, "that meet '" + admins[1] + "'"},
		"RevokedToken": {func(m *made) {
			m.suspend(admins[1])
			m.ask(&call{by: m.session(admins[1]), verb: verbRequest})
		}, "a token that was revoked was let in"},
		"EndedForNothing": {func(m *made) {
			m.refuse(&call{by: m.session(admins[1]), verb: verbRequest}, account.SessionEnded())
		}, "nothing ended it"},
		"NoAdmin": {func(m *made) {
			m.ask(&call{verb: account.VerbDelete, target: admins[1]})
			m.ask(&call{verb: account.VerbDelete, target: admins[0]})
		}, "that meet the ADMINs"},
		"NoAdminAtOnce": {func(m *made) {
			a := m.ask(&call{verb: account.VerbEdit, target: admins[0], by: m.session(admins[1]), wish: wish{role: account.User}})
			b := m.ask(&call{verb: account.VerbEdit, target: admins[1], wish: wish{role: account.User}})
			b.began, b.asked, b.ended = a.began, a.asked, a.ended
		}, "that meet the ADMINs"},
		"NotTheLastAdmin": {func(m *made) {
			m.refuse(&call{verb: account.VerbDelete, target: admins[1]}, account.Refused(account.ReasonLastAdmin, "", ""))
		}, "that meet the ADMINs"},
		"PastTheLease": {func(m *made) {
			m.stops = []window{{0, time.Minute}}
			m.ask(&call{verb: verbRequest})
			m.ask(&call{verb: verbRequest})
		}, "with a lease of"},
		"TooLong": {func(m *made) {
			c := m.show("jeff")
			c.ended = c.asked + bound + time.Second
		}, "with a bound of"},
		"Internal": {func(m *made) { m.refuse(&call{verb: verbShow, target: "jeff"}, errors.New("panic")) }, "no call may end so"},
		"InternalChange": {func(m *made) {
			m.refuse(&call{verb: account.VerbSuspend, target: "jeff"}, errors.New("panic"))
		}, "a change may not end so"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade()
			c.then(m)
			m.judgeAll()
			if found := strings.Join(m.found, "\n"); c.want == "" && found != "" || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}
