package relay

import "time"

// lookEvery is how often the connections are looked at, at most: setting a
// deadline for every call would cost each more than that costs all.
const lookEvery = 250 * time.Millisecond

// idleLimit is how long a connection is kept that nobody uses.
const idleLimit = time.Minute

// watch cuts off calls without progress and calls whose client has gone, and
// closes connections that are idle for long, until Close.
func (r *Relay) watch() {
	defer close(r.watched)
	every := min(lookEvery, max(r.ReplyTimeout/4, time.Millisecond))
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-r.context.Done():
			return
		case now := <-tick.C:
			for _, c := range r.pool.connections() {
				c.look(now)
			}
			r.pool.closeIdle(now)
		}
	}
}

// outliveLimit is how long a call may go on whose session has ended: its connection
// is another's.
const outliveLimit = 5 * time.Second

// mayOutlive returns how long a call may go on. A commit's outcome is told if there
// is hope: nobody can ask for it again. And of a stage whose answer is lost nobody
// knows what there is to abort.
func (c *Call) mayOutlive() time.Duration {
	switch c.Method.Name {
	case commitName, stageName:
		return settleWithin
	}
	return outliveLimit
}

// look cuts the call under way off if it makes no progress or is not wanted any
// more.
func (c *conn) look(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	outlived := c.outlived(now)
	if !c.busy || !c.cut && !outlived && now.Sub(c.active) < c.limit && c.ctx.Err() == nil {
		return
	}
	if !c.cut {
		c.cut = true
		c.net.Close()
	}
	if c.streams {
		// The client may be the one that is waited for, now or again by a write that
		// has begun since: its connection will be closed (ErrCut).
		if client, ok := c.call.Reply.(interface{ SetWriteDeadline(time.Time) error }); ok {
			client.SetWriteDeadline(now)
		}
	}
}

// outlived reports whether the call goes on though the session ended a while ago: an
// upstream that hangs, or a client that reads slowly, would hold the connection for
// as long as it likes. c.mu is held.
func (c *conn) outlived(now time.Time) bool {
	if !c.busy || c.call == nil || c.call.Session == nil || !c.call.Session.Ended() {
		return false
	}
	if c.ended.IsZero() {
		c.ended = now
	}
	return now.Sub(c.ended) > c.call.mayOutlive()
}
