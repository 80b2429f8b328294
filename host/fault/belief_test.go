package fault_test

import (
	"math/rand/v2"
	"sync"
	"time"
)

// beliefs are what the clients together suppose of the administrators, so that
// most of their logins succeed. They may be wrong, and judge nothing.
type beliefs struct {
	mu sync.Mutex
	of map[string]*belief
}

type belief struct {
	password int       // of passwords
	failures int       // logins since the last sign of life
	tried    time.Time // when a login as one that seems to be down was begun
}

// From mostFailures on a name seems to be down, and is tried only now and then:
// it would be throttled.
const (
	mostFailures = 3
	nowAndThen   = 2 * time.Second
)

func newBeliefs() *beliefs {
	b := &beliefs{of: map[string]*belief{}}
	for _, name := range names {
		b.of[name] = &belief{password: 1, failures: mostFailures}
	}
	return b
}

// pick returns an administrator to log in as, and its password, "" if there
// seems to be none.
func (b *beliefs) pick(draw *rand.Rand) (name string, password int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	order := draw.Perm(len(admins))
	for _, i := range order {
		if is := b.of[admins[i]]; is.failures < mostFailures {
			return admins[i], is.password
		}
	}
	for _, i := range order {
		if is := b.of[admins[i]]; time.Since(is.tried) > nowAndThen {
			is.tried = time.Now()
			return admins[i], is.password
		}
	}
	return "", 0
}

func (b *beliefs) password(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of[name].password
}

// learn takes in what a call came to.
func (b *beliefs) learn(c *call) {
	if b.of[c.target] == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	is := b.of[c.target]
	switch {
	case c.verb == verbLogin && c.err == nil:
		*is = belief{password: c.password}
	case c.verb == verbLogin && refusalOf(c.err) == c.enter(state{}):
		if is.password == c.password {
			is.password = is.password%(len(passwords)-1) + 1
		}
		is.failures++
	case c.verb == verbLogin && c.enter(state{exists: true, password: c.password}).kind == refusalOf(c.err).kind:
		is.failures = mostFailures // not let in, until somebody changes that
	case c.changes() && c.err == nil:
		if c.password != 0 && c.changed {
			is.password = c.password
		}
		if len(c.found) == 1 {
			is.failures = mostFailures
			if c.found[0].administers() {
				is.failures = 0
			}
		}
	}
}
