package thrift

import (
	"slices"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// mostShown bounds the sessions that live and whose tokens one connection showed.
const mostShown = 16

// errCrowded refuses a session that the connection could not count for: nobody
// would hear when the last connection of such a one closes.
var errCrowded = account.Unavailable("this connection has shown the tokens of %d sessions that live; log out of one, or open another connection", mostShown)

// roomForSession reports whether the connection can count for one session more.
func (c *conn) roomForSession() bool {
	if len(c.shown) == mostShown {
		c.forgetEnded()
	}
	return len(c.shown) < mostShown
}

// trust takes note of a session whose token was good on this connection, and
// which counts the connection from now on. It refuses with errCrowded.
func (c *conn) trust(s *session.Session) error {
	if c.holds(s) {
		return nil
	}
	if !c.roomForSession() {
		return errCrowded
	}
	s.OpenConnection()
	c.opened(s)
	return nil
}

// opened takes note of a session that a login on this connection has opened, for
// which there was room, and which counts the connection already.
func (c *conn) opened(s *session.Session) {
	c.shown = append(c.shown, s)
	if !c.trusted {
		c.trusted = true
		c.server.known(c)
		c.reader.SetMost(c.server.options.MaxMessage)
	}
}

// distrust makes the connection a stranger's again once no session lives whose
// token it showed.
func (c *conn) distrust() {
	if !c.trusted {
		return
	}
	if c.forgetEnded(); len(c.shown) == 0 {
		c.trusted = false
		c.server.forgotten(c)
		c.reader.SetMost(min(mostLogin, c.server.options.MaxMessage))
	}
}

// holds reports whether a session counts this connection.
func (c *conn) holds(s *session.Session) bool { return slices.Contains(c.shown, s) }

func (c *conn) forgetEnded() {
	kept := c.shown[:0]
	for _, s := range c.shown {
		if s.Ended() {
			s.CloseConnection()
		} else {
			kept = append(kept, s)
		}
	}
	clear(c.shown[len(kept):])
	c.shown = kept
}
