package soak_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// madeDoor is a history of the front door that a test makes up: one thing follows
// the other, a second apart. Its account holds WRITE in "a", and nothing else.
type madeDoor struct {
	*doorJudge
	round
	*person
	at    time.Duration
	found []string // what is wrong
}

const (
	theHost   = "host"
	theirs    = "the upstream's token"
	another   = "another token of the upstream's"
	clientsOf = "a client's token"
)

func newMadeDoor() *madeDoor {
	m := &madeDoor{person: &person{name: "jeff", password: 1, holds: map[string]level{"a": writing}}, at: time.Minute}
	m.doorJudge = newDoorJudge(theHost, func(format string, args ...any) { m.found = append(m.found, fmt.Sprintf(format, args...)) })
	m.tokens[clientsOf] = true
	return m
}

// next is the time in which the next thing happens.
func (m *madeDoor) next() (began, ended time.Duration) {
	m.at += time.Second
	return m.at, m.at + time.Second/2
}

func (m *madeDoor) login() *login {
	l := &login{person: m.person, password: m.passwordNow()}
	l.began, l.ended = m.next()
	return l
}

// tries adds an attempt to log in with a password that ended so.
func (m *madeDoor) tries(password int, o outcome) {
	l := m.login()
	l.password = password
	m.attempts = append(m.attempts, attempt{login: l, outcome: o, err: errors.New("made up")})
}

func (m *madeDoor) change(c change) {
	c.began, c.ended = m.next()
	m.note(c)
}

func (m *madeDoor) revoke() { m.change(change{verb: revokes, environment: "a"}) }

func (m *madeDoor) kill(of string) {
	m.at += time.Minute
	m.outages = append(m.outages, outage{of: of, from: m.at, back: m.at + time.Second, to: m.at + 3*time.Second})
}

// told adds a call that ended so, of which the upstream does not know.
func (m *madeDoor) told(l *login, o outcome, also func(*call)) *call {
	c := &call{number: int64(len(m.calls) + 1), login: l, method: "getKeyRecord", environment: "a", needs: reading, outcome: o}
	c.began, c.ended = m.next()
	if o != served {
		c.number, c.err = 0, errors.New("made up")
	}
	if also != nil {
		also(c)
	}
	m.calls = append(m.calls, c)
	return c
}

// ask adds a call that is served.
func (m *madeDoor) ask(l *login, also func(*call)) *call {
	c := m.told(l, served, also)
	m.arrives(c, nil)
	return c
}

// arrives adds that the upstream got a call.
func (m *madeDoor) arrives(c *call, also func(*arrival)) {
	a := arrival{number: c.number, method: c.method, token: theirs, environment: c.environment, accepted: true, at: c.began + time.Second/4}
	if c.in != nil {
		a.timestamp = c.in.token.Timestamp
	}
	if c.begun != nil {
		a.timestamp = c.begun.token.Timestamp
	}
	if also != nil {
		also(&a)
	}
	m.arrivals = append(m.arrivals, a)
}

func (m *madeDoor) stage(l *login) *transaction {
	tx := &transaction{login: l, environment: "a", token: driver.Transaction{Timestamp: int64(m.at)}}
	tx.staged = m.ask(l, func(c *call) { c.number, c.method, c.begun = 0, "stage", tx })
	return tx
}

func (m *madeDoor) end(tx *transaction, method string) *call {
	return m.ask(tx.login, func(c *call) { c.number, c.method, c.in, c.needs = 0, method, tx, reading })
}

// aborts adds an abort of the host's own.
func (m *madeDoor) aborts(tx *transaction) {
	at, _ := m.next()
	m.arrivals = append(m.arrivals, arrival{method: "abort", token: theirs, environment: "a", timestamp: tx.token.Timestamp, accepted: true, at: at})
}

func inTransaction(tx *transaction) func(*call) { return func(c *call) { c.in = tx } }

func writes(c *call) { c.method, c.needs = "setKeyValueRecord", writing }

// TestDoorJudge shows that the judge of the front door finds what it is for.
func TestDoorJudge(t *testing.T) {
	for name, c := range map[string]struct {
		then func(m *madeDoor)
		want string // "": nothing
	}{
		"Fine": {func(m *madeDoor) {
			m.arrivals = append(m.arrivals, arrival{method: "login", username: theHost, accepted: true})
			l := m.login()
			m.ask(l, nil)
			m.ask(l, writes)
			tx := m.stage(l)
			m.ask(l, inTransaction(tx))
			m.end(tx, "commit")
			m.told(l, refusedPermission, func(c *call) { c.environment = "b" })
			left := m.stage(l)
			m.revoke()
			m.told(l, refusedPermission, nil)
			m.aborts(left)
			m.change(change{verb: grants, environment: "a", level: reading})
			m.ask(l, nil)
			m.told(l, refusedPermission, writes)
			m.change(change{verb: suspends})
			m.told(l, refusedToken, nil)
			m.change(change{verb: enables})
			l = m.login()
			m.ask(l, func(c *call) { c.number = 0; c.method = "ping"; c.needs = reading })
			m.change(change{verb: setPassword, password: 2})
			m.told(l, refusedToken, nil)
			m.kill(ofLease)
			m.told(m.login(), failed, nil)
			m.kill(ofUpstream)
			m.told(m.login(), closed, nil)
		}, ""},
		"Fine/Logins": {func(m *madeDoor) {
			m.tries(1, served)
			m.change(change{verb: setPassword, password: 2})
			m.tries(1, refusedToken)
			m.tries(2, served)
			m.change(change{verb: suspends})
			m.tries(2, refusedToken)
			m.change(change{verb: enables})
			m.tries(2, served)
			m.kill(ofPlugin)
			m.tries(2, failed)
		}, ""},
		"Fine/SlowLogin": {func(m *madeDoor) { // it waited for its turn, and got in after the account was enabled
			l := m.login()
			m.change(change{verb: suspends})
			m.change(change{verb: enables})
			l.ended = m.at + time.Second
			m.at += time.Minute
			m.ask(l, nil)
		}, ""},
		"Fine/EndedWhenUpstreamHadForgotten": {func(m *madeDoor) {
			l := m.login()
			c := m.told(l, refusedToken, func(c *call) { c.number = 1; c.ended += time.Minute })
			m.arrives(c, func(a *arrival) { a.accepted = false })
			m.change(change{verb: suspends})
		}, ""},
		"Login/OldPassword": {func(m *madeDoor) {
			m.change(change{verb: setPassword, password: 2})
			m.tries(1, served)
		}, "somebody got in"},
		"Login/Suspended": {func(m *madeDoor) {
			m.change(change{verb: suspends})
			m.tries(1, served)
		}, "somebody got in"},
		"Login/Refused": {func(m *madeDoor) { m.tries(1, refusedToken) }, "credentials that are good were refused"},
		"Login/RefusedWhenEnabled": {func(m *madeDoor) {
			m.change(change{verb: suspends})
			m.change(change{verb: enables})
			m.tries(1, refusedToken)
		}, "credentials that are good were refused"},
		"Login/Failed": {func(m *madeDoor) { m.tries(1, failed) }, "a login failed without a reason"},
		"Login/Lost":   {func(m *madeDoor) { m.tries(1, closed) }, "a login got no answer"},
		"RevokedToken/Password": {func(m *madeDoor) {
			l := m.login()
			m.change(change{verb: setPassword, password: 2})
			m.ask(l, nil)
		}, "with a token that had ended"},
		"RevokedToken/Suspended": {func(m *madeDoor) {
			l := m.login()
			m.change(change{verb: suspends})
			m.change(change{verb: enables})
			m.ask(l, nil)
		}, "with a token that had ended"},
		"RevokedToken/LoginSlippedThrough": {func(m *madeDoor) {
			l := m.login()
			m.change(change{verb: suspends})
			l.ended = m.at + time.Minute
			m.at += time.Hour
			m.change(change{verb: enables})
			m.ask(l, nil)
		}, "with a token that had ended"},
		"RevokedToken/Disconnected": {func(m *madeDoor) {
			l := m.login()
			m.change(change{verb: disconnects})
			m.ask(l, nil)
		}, "with a token that had ended"},
		"RevokedToken/LoggedOut": {func(m *madeDoor) {
			l := m.login()
			_, l.over = m.next()
			m.ask(l, nil)
		}, "with a token that had ended"},
		"RevokedToken/FailedButReached": {func(m *madeDoor) {
			l := m.login()
			m.change(change{verb: suspends})
			m.kill(ofUpstream)
			c := m.told(l, failed, func(c *call) { c.number = 1 })
			m.arrives(c, nil)
		}, "with a token that had ended"},
		"LostGrant": {func(m *madeDoor) {
			l := m.login()
			m.revoke()
			m.ask(l, nil)
		}, "needs READ, with nothing"},
		"LostGrant/Write": {func(m *madeDoor) {
			l := m.login()
			m.revoke()
			m.change(change{verb: grants, environment: "a", level: reading})
			m.ask(l, writes)
		}, "needs WRITE, with READ"},
		"NoGrant": {func(m *madeDoor) {
			m.ask(m.login(), func(c *call) { c.environment = "b" })
		}, "needs READ, with nothing"},
		"LostGrant/Commit": {func(m *madeDoor) {
			tx := m.stage(m.login())
			m.revoke()
			m.end(tx, "commit")
		}, "needs READ, with nothing"},
		"RefusedAndReached": {func(m *madeDoor) {
			l := m.login()
			m.revoke()
			c := m.told(l, refusedPermission, func(c *call) { c.number = 1; c.began -= time.Second })
			m.arrives(c, nil)
		}, "was refused, and reached the upstream"},
		"Lost": {func(m *madeDoor) { m.told(m.login(), lost, nil) }, "had to be served"},
		"Lost/InAnOutage": {func(m *madeDoor) {
			l := m.login()
			m.kill(ofLease)
			m.told(l, lost, nil)
		}, "got no answer"},
		"LiveTokenRefused": {func(m *madeDoor) {
			l := m.login()
			m.kill(ofUpstream)
			m.told(l, refusedToken, nil)
		}, "a live token was refused"},
		"RightNotHonoured": {func(m *madeDoor) {
			l := m.login()
			m.kill(ofUpstream)
			m.told(l, refusedPermission, nil)
		}, "not honoured"},
		"NotServed": {func(m *madeDoor) { m.told(m.login(), failed, nil) }, "had to be served"},
		"NotServed/Granted": {func(m *madeDoor) {
			l := m.login()
			m.change(change{verb: grants, environment: "b", level: reading})
			m.told(l, refusedPermission, func(c *call) { c.environment = "b" })
		}, "had to be served"},
		"FailedForNothing": {func(m *madeDoor) {
			m.told(m.login(), failed, func(c *call) { c.environment = "b" })
		}, "failed without a reason"},
		"ClosedForNothing": {func(m *madeDoor) {
			l := m.login()
			m.kill(ofLease)
			m.told(l, closed, nil)
		}, "closed without a reason"},
		"TransactionRefused": {func(m *madeDoor) {
			tx := m.stage(m.login())
			m.kill(ofLease)
			m.told(tx.login, refusedTransaction, inTransaction(tx))
		}, "a transaction that was open was refused"},
		"ClientsTokenUpstream": {func(m *madeDoor) {
			m.arrives(m.told(m.login(), served, nil), func(a *arrival) { a.token = clientsOf })
		}, "a client's token came to the upstream"},
		"StrangerUpstream": {func(m *madeDoor) {
			m.arrivals = append(m.arrivals, arrival{method: "login", username: "jeff", accepted: true})
		}, "who is not the host"},
		"Unexplained": {func(m *madeDoor) {
			m.arrivals = append(m.arrivals, arrival{number: 7, method: "getKeyRecord", token: theirs, accepted: true})
		}, "no client made a call"},
		"OtherMethod": {func(m *madeDoor) {
			m.arrives(m.told(m.login(), served, nil), func(a *arrival) { a.method = "clearRecord" })
		}, "as another"},
		"OtherEnvironment": {func(m *madeDoor) {
			m.arrives(m.told(m.login(), served, nil), func(a *arrival) { a.environment = "b" })
		}, "as another"},
		"OtherTransaction": {func(m *madeDoor) {
			m.arrives(m.told(m.login(), served, nil), func(a *arrival) { a.timestamp = 7 })
		}, "in another transaction"},
		"Twice": {func(m *madeDoor) { m.arrives(m.ask(m.login(), nil), nil) }, "carried out twice"},
		"SharedUpstreamSession": {func(m *madeDoor) {
			m.ask(m.login(), nil)
			m.ask(m.login(), nil)
		}, "share one upstream"},
		"ServedByNobody":     {func(m *madeDoor) { m.told(m.login(), served, nil) }, "the upstream knows nothing"},
		"StagedByNobody":     {func(m *madeDoor) { m.stage(m.login()); m.arrivals = nil }, "the upstream knows nothing"},
		"CommittedForNobody": {func(m *madeDoor) { tx := m.stage(m.login()); m.end(tx, "commit"); m.calls = m.calls[:1] }, "committed what no client"},
		"CommittedForAnother": {func(m *madeDoor) {
			tx := m.stage(m.login())
			m.end(tx, "commit").outcome = refusedTransaction
			m.revoke()
		}, "committed what no client"},
		"LeftOpen/Session": {func(m *madeDoor) {
			m.stage(m.login())
			m.change(change{verb: suspends})
			m.at += abortWithin
		}, "open upstream"},
		"LeftOpen/Right": {func(m *madeDoor) {
			m.stage(m.login())
			m.revoke()
			m.at += abortWithin
		}, "open upstream"},
		"LeftOpen/Connection": {func(m *madeDoor) {
			_, m.stage(m.login()).login.left = m.next()
			m.at += abortWithin + time.Second
		}, "open upstream"},
		"LeftOpen/ToTheEnd": {func(m *madeDoor) { m.stage(m.login()) }, "after everybody has gone"},
		"AbortedLate": {func(m *madeDoor) {
			tx := m.stage(m.login())
			m.revoke()
			m.at += abortWithin
			m.aborts(tx)
		}, "too late"},
		"AnotherUpstreamSession": {func(m *madeDoor) { // after a new login upstream
			l := m.login()
			m.ask(l, nil)
			m.kill(ofUpstream)
			m.at += time.Minute
			m.arrives(m.told(l, served, nil), func(a *arrival) { a.token = another })
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMadeDoor()
			c.then(m)
			m.now = m.at + time.Second
			m.doorJudge.round(m.round)
			m.finish()
			found := strings.Join(m.found, "\n")
			if c.want == "" && found != "" || !strings.Contains(found, c.want) {
				t.Errorf("got %q, want %q", found, c.want)
			}
		})
	}
}
