package fault_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// client is one user of the host, who does one thing after another.
type client struct {
	*history
	host    *hosttest.Host
	beliefs *beliefs
	name    string
	draw    *rand.Rand
	battle  *atomic.Bool                   // administrators fell each other
	act     func(*client, context.Context) // does one thing
	session *session                       // nil: none
}

// session is a login over the management socket, or an administrator at the
// command line, who logs in anew with every command.
type session struct {
	name       string
	id         account.ID // empty: at the command line
	generation account.Generation
	began      time.Duration // the login
	opened     time.Duration // when it was answered
	connection *management.Client
	password   int // at the command line: of passwords
}

func (s *session) end() {
	if s != nil && s.connection != nil {
		s.connection.Close()
	}
}

// How patient a client is.
const (
	answerWithin  = 60 * time.Second // each answer; far beyond what bound allows
	settlesWithin = 40 * time.Second // an unknown outcome, asked for again and again
	pause         = 20 * time.Millisecond
)

// rest passes some time between two calls.
func (c *client) rest() { time.Sleep(time.Duration(c.draw.Int64N(int64(pause)))) }

// login opens a session, and finds out which account it is of.
func (c *client) login(ctx context.Context, name string, password int) (*session, error) {
	k := &call{client: c.name, verb: verbLogin, target: name, wish: wish{password: password}, began: c.now(), tries: 1}
	k.asked = k.began
	connection, err := management.Dial(ctx, c.host.Socket(), management.DialOptions{Program: c.name, AnswerWithin: answerWithin})
	if err != nil {
		return nil, err // nothing was asked
	}
	s := &session{name: name, began: k.began, connection: connection}
	_, k.err = connection.Login(ctx, name, account.Secret(passwords[password]))
	k.ended = c.now()
	s.opened = k.ended
	c.note(k)
	if err = k.err; err == nil {
		// It is answered only while the account is what the login read.
		self := &call{client: c.name, by: s, verb: verbShow, target: name, began: c.now()}
		c.carry(ctx, self)
		if err = self.err; err == nil {
			s.id, s.generation = self.found[0].id, self.found[0].generation
			return s, nil
		}
	}
	s.end()
	return nil, err
}

// note writes a call down that is over.
func (c *client) note(k *call) {
	c.add(k)
	c.beliefs.learn(k)
}

// enter makes sure that there is a session, and reports whether there is one.
func (c *client) enter(ctx context.Context) bool {
	if c.session != nil {
		return true
	}
	name, password := c.beliefs.pick(c.draw)
	if name != "" {
		c.session, _ = c.login(ctx, name, password)
	}
	return c.session != nil
}

func (c *client) leave() {
	c.session.end()
	c.session = nil
}

// carry makes the client's call, again under the same id for as long as its
// outcome is unknown, and writes it down. An outcome that cannot be found out,
// because the account that asked can no longer log in, stays unknown.
func (c *client) carry(ctx context.Context, k *call) {
	if k.changes() && k.of == nil {
		k.id = account.NewRequestID(time.Now())
	}
	by := k.by
	for again := false; ; again = true {
		k.asked, k.over = c.now(), by
		k.tries++
		if by.connection != nil {
			k.err = k.ask(ctx, by.connection)
		} else {
			k.err = k.run(c.host, by.name, passwords[by.password])
		}
		k.ended = c.now()
		kind := account.KindOf(k.err)
		if !k.changes() {
			break
		}
		if kind.Uncertain() {
			k.unknown = true
		} else if !again || answersRepeat(k.err) {
			k.unknown = false
			break
		}
		if k.ended-k.began > settlesWithin {
			break
		}
		time.Sleep(pause)
		if by = c.reopen(ctx, by); by == nil {
			break
		}
	}
	if by != nil && by != k.by {
		by.end()
	}
	c.note(k)
}

// answersRepeat reports whether an answer to a change that was asked for again
// says what became of it. What keeps the caller out does not.
func answersRepeat(err error) bool {
	switch account.KindOf(err) {
	case account.KindNotAuthenticated, account.KindNotPermitted, account.KindUnavailable, account.KindThrottled, account.KindConflict:
		return false
	case account.KindInvalid:
		return account.ReasonOf(err) != account.ReasonRequestReused // by an account that had the name before
	}
	return true
}

// reopen returns a session of the same account to ask again over, nil if there
// is none to be had.
func (c *client) reopen(ctx context.Context, by *session) *session {
	if by.connection == nil {
		return &session{name: by.name, password: c.beliefs.password(by.name)}
	}
	if !by.connection.Lost() {
		if _, err := by.connection.Request(ctx); account.KindOf(err) == 0 || account.ReasonOf(err) == account.ReasonPastLease {
			return by
		}
	}
	for end := time.Now().Add(settlesWithin); time.Now().Before(end); time.Sleep(pause) {
		s, err := c.login(ctx, by.name, c.beliefs.password(by.name))
		switch account.KindOf(err) {
		case 0:
			if s.id != by.id {
				s.end()
				return nil
			}
			return s
		case account.KindUnavailable, account.KindThrottled:
		default:
			return nil
		}
	}
	return nil
}

// expected are the kinds with which a call may end; another is a fault.
var expected = []account.Kind{
	0, account.KindNotAuthenticated, account.KindNotPermitted, account.KindNotFound, account.KindAlreadyExists,
	account.KindUnavailable, account.KindRefused, account.KindConflict, account.KindThrottled, account.KindOutcomeUnknown,
}

// unexpected says what is wrong with an answer, whatever became of the call.
func (c *call) unexpected() error {
	kind := account.KindOf(c.err)
	noWord := c.verb == account.VerbApply || c.verb == verbPlan // of the password of an account that there is none of
	reused := account.ReasonOf(c.err) == account.ReasonRequestReused && c.unknown
	if slices.Contains(expected, kind) || kind == account.KindInvalid && (noWord || reused) {
		return nil
	}
	if e, ok := errors.AsType[*account.Error](c.err); ok {
		return fmt.Errorf("%v: %s", kind, e.Message)
	}
	return c.err
}
