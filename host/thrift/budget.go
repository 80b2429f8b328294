package thrift

import "sync"

// mostHeld is how many messages of the greatest length may be held at once, by all
// connections of a server. Shorter ones, and those that have not come whole, count
// by the memory that they take; what every connection may have does not count.
const mostHeld = 4

// budget is the memory for long messages. The messages of one account may hold as
// much of it as is free then, which is half at most: so that no account keeps
// others' messages out, nor do some together those of ordinary length.
type budget struct {
	most int // bytes

	mu   sync.Mutex // guards the rest
	held int
	of   map[string]int // by account; none that holds nothing
}

func newBudget(o Options) *budget {
	return &budget{most: mostHeld * o.MaxMessage, of: map[string]int{}}
}

// take has an account hold so many bytes more, or fewer, unless that is too many.
func (b *budget) take(account string, more int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if more > 0 && b.of[account]+more > b.most-b.held-more {
		return false
	}
	b.held += more
	if b.of[account] += more; b.of[account] == 0 {
		delete(b.of, account)
	}
	return true
}

// hold has the message that comes hold so many bytes more, or fewer, unless there
// is no room for it. It is the account's whose session the connection has shown
// first, of those that live: whose the message is, it tells later.
func (c *conn) hold(more int) bool {
	if c.held == 0 && len(c.shown) > 0 {
		c.holder = c.shown[0].Caller().Username
	}
	if !c.server.budget.take(c.holder, more) {
		return false
	}
	c.held += more
	return true
}
