package session

import (
	"cmp"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Call is a call that a session is making.
type Call struct {
	session *Session
	method  string
	since   time.Duration
	older   *Call
}

// BeginCall counts a call that Check let in; its End must follow.
func (s *Session) BeginCall(method string) *Call {
	c := &Call{session: s, method: method, since: s.touch()}
	s.calls.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.older, s.running = s.running, c
	return c
}

// End says that the call is over. Ending it again does nothing.
func (c *Call) End() {
	s := c.session
	s.touch()
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := &s.running; *at != nil; at = &(*at).older {
		if *at == c {
			*at = c.older
			return
		}
	}
}

// transaction is what a session notes of one that it holds open.
type transaction struct {
	since       time.Duration // as table.elapsed counts
	environment string
}

// OpenTransaction notes that the session holds a transaction open. It returns
// false if the session has ended: its OnEnd may have run and does not know of
// this one, so the caller aborts it.
func (s *Session) OpenTransaction(id, environment string) bool {
	at := s.touch()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase.Load() == told {
		return false
	}
	if s.transactions == nil {
		s.transactions = map[string]transaction{}
	}
	s.transactions[id] = transaction{at, environment}
	return true
}

// CloseTransaction notes that a transaction was committed or aborted.
func (s *Session) CloseTransaction(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.transactions, id)
	if len(s.transactions) == 0 {
		s.transactions = nil
	}
}

// OpenConnection counts a connection on which the token was shown.
func (s *Session) OpenConnection() { s.connections.Add(1) }

// CloseConnection uncounts one and returns how many are left.
func (s *Session) CloseConnection() int { return int(s.connections.Add(-1)) }

func (s *Session) touch() time.Duration {
	at := s.standing.table.elapsed()
	s.active.Store(int64(at))
	return at
}

func (s *Session) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running != nil
}

// describe fills in what the session does now; of several calls, the one that
// runs longest.
func (s *Session) describe(r *account.Session) {
	t := s.standing.table
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.running; c != nil {
		for c.older != nil {
			c = c.older
		}
		r.CurrentCall = &account.Call{Method: c.method, Since: t.time(c.since)}
	}
	for id, open := range s.transactions {
		r.OpenTransactions = append(r.OpenTransactions, account.Transaction{ID: id, Since: t.time(open.since), Environment: open.environment})
	}
	slices.SortFunc(r.OpenTransactions, func(a, b account.Transaction) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
}
