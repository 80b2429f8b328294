package soak_test

import "time"

// forever is later than anything that happens.
const forever = 1000 * time.Hour

// mayBeGood reports whether the token may be good for a call that begins at that
// time, by what was answered before.
func (l *login) mayBeGood(at time.Duration) bool {
	if l.over != 0 && l.over <= at {
		return false
	}
	for i, c := range l.person.changes {
		if c.ended <= at && l.before(i) {
			return false
		}
	}
	return true
}

// before reports whether the token was surely given out before a change that ends
// such tokens was carried out.
func (l *login) before(i int) bool {
	switch c := l.person.changes[i]; c.verb {
	case suspends: // who got in came before it, or after the account was enabled
		return l.began < c.ended && l.ended <= l.person.enabledAfter(i)
	case setPassword:
		return l.password < c.password
	case disconnects:
		return l.ended <= c.began
	}
	return false
}

// enabledAfter returns from when on the account may have been enabled again after
// a suspension.
func (p *person) enabledAfter(i int) time.Duration {
	for _, c := range p.changes[i:] {
		if c.verb == enables {
			return c.began
		}
	}
	return forever
}

// surelyGood reports whether nothing had begun by then that may end the token.
func (l *login) surelyGood(until time.Duration) bool {
	if l.over != 0 && l.over <= until {
		return false
	}
	for _, c := range l.person.changes {
		switch c.verb {
		case suspends, disconnects:
			if c.began < until && l.began < c.ended {
				return false
			}
		case setPassword:
			if c.began < until && l.password < c.password {
				return false
			}
		}
	}
	return true
}

// credentials reports whether what a login shows was surely right all the while
// that it took, and whether it was surely wrong.
func (l *login) credentials() (right, wrong bool) {
	right = true
	suspended := false
	for _, c := range l.person.changes {
		over, begun := c.ended <= l.began, c.began < l.ended
		switch c.verb {
		case setPassword:
			if l.password < c.password {
				right, wrong = right && !begun, wrong || over
			}
		case suspends:
			right, suspended = right && !begun, over
		case enables:
			right = right || over
			suspended = suspended && !begun
		}
	}
	return right && !wrong, wrong || suspended
}

// held returns the least and the most that the account may have held in the
// environment at some time from then until then.
func (p *person) held(environment string, from, until time.Duration) (least, most level) {
	least, most = p.holds[environment], p.holds[environment]
	for _, c := range p.changes {
		switch {
		case c.environment != environment || c.began >= until:
		case c.ended <= from:
			least, most = c.level, c.level
		default:
			least, most = min(least, c.level), max(most, c.level)
		}
	}
	return least, most
}

// lostIn returns when the account had surely lost everything in the environment,
// first after the time and for a while at least: the answer of that revocation.
func (p *person) lostIn(environment string, after, while time.Duration) (at time.Duration, lost bool) {
	for i, c := range p.changes {
		if c.verb != revokes || c.environment != environment || c.began < after {
			continue
		}
		again := false
		for _, next := range p.changes[i+1:] {
			again = again || next.environment == environment && next.level > nothing && next.began < c.ended+while
		}
		if !again {
			return c.ended, true
		}
	}
	return 0, false
}

// overAt returns when the session had surely ended, or nobody who knew of what it
// had open at the time was connected any more.
func (l *login) overAt(open time.Duration) (at time.Duration, over bool) {
	earliest := func(t time.Duration) {
		if t != 0 && (!over || t < at) {
			at, over = t, true
		}
	}
	earliest(l.over)
	if l.left > open {
		earliest(l.left)
	}
	for i, c := range l.person.changes {
		if l.before(i) {
			earliest(c.ended)
		}
	}
	return at, over
}
