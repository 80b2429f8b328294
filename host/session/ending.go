package session

import (
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Cause says why a session ended.
type Cause int

// The causes.
const (
	LoggedOut        Cause = iota + 1 // its holder logged out
	Revoked                           // its account was changed, suspended or deleted
	Idle                              // it made no call for too long
	Expired                           // it reached the absolute limit
	Disconnected                      // an administrator ended it
	ConnectionClosed                  // its connection closed
	StoreReplaced                     // the store is another one than at its login
)

var causeNames = [...]string{
	LoggedOut: "logged out", Revoked: "revoked", Idle: "idle", Expired: "expired",
	Disconnected: "disconnected", ConnectionClosed: "connection closed", StoreReplaced: "store replaced",
}

// String returns the cause as it stands in logs.
func (c Cause) String() string {
	if c > 0 && int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "unknown"
}

// Causes returns every cause, in order.
func Causes() []Cause {
	var all []Cause
	for c := LoggedOut; int(c) < len(causeNames); c++ {
		all = append(all, c)
	}
	return all
}

// Ended returns how many sessions have ended for a cause so far.
func (t *Table) Ended(c Cause) uint64 { return t.ended[c].Load() }

// batch bounds how many sessions one hold of the lock examines or removes.
const batch = account.MaxBatch

// Logout ends a token's session; false if it had none.
func (t *Table) Logout(token Token) bool {
	t.mu.Lock()
	s := t.tokens.find(&token)
	took := s != nil && t.take(s)
	t.mu.Unlock()
	if took {
		s.finish(LoggedOut)
	}
	return took
}

// End ends the session with that public id; false if there is none.
func (t *Table) End(sessionID string, c Cause) bool {
	n, ok := parseID(sessionID)
	if !ok {
		return false
	}
	t.mu.Lock()
	s := t.ids[n]
	took := s != nil && t.take(s)
	t.mu.Unlock()
	if took {
		s.finish(c)
	}
	return took
}

// Disconnect ends every session of an account and returns how many. Logins
// under way go on: the account is as it was.
func (t *Table) Disconnect(username string) (ended int) {
	t.mu.Lock()
	st := t.standings[username]
	if st == nil {
		t.mu.Unlock()
		return 0
	}
	t.detach(st)
	t.mu.Unlock()
	return t.clear(st, Disconnected)
}

// Expire ends every session that is idle or over its absolute limit, and
// returns how many. Call it once in a while; Check refuses their tokens in any
// case. It holds the lock for one batch at a time.
func (t *Table) Expire() (ended int) {
	at := t.elapsed()
	// Backwards, since a session that leaves is replaced by the last one.
	for end := t.Len(); end > 0; end -= batch {
		for _, s := range t.expired(end, at) {
			t.mu.Lock()
			c := t.expiry(s, at)
			took := c != 0 && t.take(s)
			t.mu.Unlock()
			if took {
				s.finish(c)
				ended++
			}
		}
	}
	return ended
}

// expired returns those expired among the batch of sessions before the given
// place.
func (t *Table) expired(end int, at time.Duration) (over []*Session) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	end = min(end, len(t.sessions))
	for _, s := range t.sessions[max(end-batch, 0):end] {
		if t.expiry(s, at) != 0 {
			over = append(over, s)
		}
	}
	return over
}

// endAll ends every session and overtakes every login under way.
func (t *Table) endAll(c Cause) (ended int) {
	t.mu.Lock()
	t.epoch++
	var all []*standing
	for _, st := range t.standings {
		all = append(all, st)
		t.detach(st)
	}
	t.mu.Unlock()
	for _, st := range all {
		ended += t.clear(st, c)
	}
	return ended
}

// clear removes the sessions of a detached standing and tells their owners.
func (t *Table) clear(st *standing, c Cause) (ended int) {
	for {
		t.mu.Lock()
		n := min(len(st.sessions), batch)
		gone := make([]*Session, 0, n)
		for range n {
			s := st.sessions[len(st.sessions)-1]
			t.take(s)
			gone = append(gone, s)
		}
		left := len(st.sessions) // which no login joins
		t.mu.Unlock()
		for _, s := range gone {
			s.finish(c)
		}
		ended += n
		if left == 0 {
			return ended
		}
	}
}

// finish tells the owner of a session that was taken from the table.
func (s *Session) finish(c Cause) {
	s.mu.Lock()
	s.phase.Store(told)
	s.mu.Unlock()
	s.standing.table.ended[c].Add(1)
	if s.onEnd != nil {
		s.onEnd(s, c)
	}
}
