package soak_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// level is what an account holds in an environment, each more than the one
// before.
type level int

const (
	nothing level = iota
	reading
	writing
)

func (l level) String() string { return [...]string{"nothing", "READ", "WRITE"}[l] }

// The verbs of changes, as administrators make them.
const (
	suspends    = "suspend"
	enables     = "enable"
	setPassword = "password"
	grants      = "grant"
	revokes     = "revoke"
	disconnects = "disconnect"
)

// change is what an administrator did to an account, from when it was first
// asked for to when it was answered for good.
type change struct {
	verb         string
	environment  string // of a grant or a revocation
	level        level  // that the account holds there afterwards
	password     int    // which of its passwords counts afterwards
	began, ended time.Duration
}

func (c change) String() string {
	switch c.verb {
	case grants, revokes:
		return fmt.Sprintf("%v to %v: %s leaves %v in '%s'", c.began, c.ended, c.verb, c.level, c.environment)
	case setPassword:
		return fmt.Sprintf("%v to %v: password %d", c.began, c.ended, c.password)
	}
	return fmt.Sprintf("%v to %v: %s", c.began, c.ended, c.verb)
}

// person is an account. One administrator at a time changes it.
type person struct {
	name  string
	holds map[string]level // at first

	mu       sync.Mutex
	changes  []change
	password int // which one counts
}

// note adds a change that was answered.
func (p *person) note(c change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes = append(p.changes, c)
	if c.verb == setPassword {
		p.password = c.password
	}
}

func (p *person) passwordNow() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.password
}

// login is one that was answered with a token.
type login struct {
	person       *person
	password     int // which of its passwords was shown
	began, ended time.Duration

	// over is when the session had surely ended by its client's own doing: its
	// logout was answered. left is when the last connection that had shown the token
	// was closed. 0: never so far.
	over, left time.Duration
}

// attempt is a login as it was answered.
type attempt struct {
	*login
	outcome outcome
	err     error
}

func (a attempt) String() string {
	return fmt.Sprintf("%v to %v: login of '%s' with password %d: %v (%v)", a.began, a.ended, a.person.name, a.password, a.outcome, a.err)
}

// transaction is one that a login has staged.
type transaction struct {
	login       *login
	environment string
	token       driver.Transaction
	staged      *call
}

// outcome is what a call came to.
type outcome int

const (
	served             outcome = iota // answered with a value, or with nothing where that is the answer
	refusedToken                      // Invalid access token
	refusedPermission                 // Insufficient Permission
	refusedTransaction                // the transaction is none that is open
	failed                            // any other exception
	closed                            // the connection was closed
	lost                              // nothing came, or nonsense
)

func (o outcome) String() string {
	return [...]string{
		"served", "refused for its token", "refused for its permission", "refused for its transaction", "failed", "cut off", "lost",
	}[o]
}

// call is a call of a client with a token.
type call struct {
	number       int64 // that it carries to the upstream, if its method can; else 0
	login        *login
	method       string
	style        driver.Style
	environment  string // in its clean form
	needs        level
	in           *transaction // nil: in none
	begun        *transaction // that a stage has returned
	began, ended time.Duration
	outcome      outcome
	err          error // of which the outcome was made
}

func (c *call) String() string {
	s := fmt.Sprintf("%v to %v: %s (%d) of '%s' in '%s' with the token of %v to %v: %v",
		c.began, c.ended, c.method, c.number, c.login.person.name, c.environment, c.login.began, c.login.ended, c.outcome)
	if c.err != nil {
		s += fmt.Sprintf(" (%v)", c.err)
	}
	return s
}

// arrival is a call as the upstream recorded it.
type arrival struct {
	number      int64  // that it carries; 0: none
	method      string // without its service
	username    string // of a login
	token       string // that it shows; "": none
	environment string
	timestamp   int64 // of the transaction that it names or stages; 0: none
	accepted    bool  // it was not refused for its token or its transaction
	at          time.Duration
}

func (a arrival) String() string {
	return fmt.Sprintf("%v: %s (%d) in '%s', transaction %d, accepted %v", a.at, a.method, a.number, a.environment, a.timestamp, a.accepted)
}

// outage is a time in which a process was not there, or not yet what it was.
type outage struct {
	of   string
	from time.Duration // before it was killed
	back time.Duration // before its next was started
	to   time.Duration // when that was there, and for a while longer
}

const (
	ofPlugin   = "plugin"
	ofUpstream = "upstream"
	ofLease    = "lease" // the plugin was away for so long that it may have run out
)

// round is what happened since the last time when everybody paused.
type round struct {
	attempts []attempt
	calls    []*call
	arrivals []arrival
	now      time.Duration
}
