package session

import (
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/cinchapi/concourse-users/shared/account"
)

// DefaultLease is how long the host's knowledge is good after a heartbeat's
// read began, unless Options say otherwise.
const DefaultLease = 10 * time.Second

// Options are a table's settings.
type Options struct {
	Host            string           // the host's name, for rows
	IdleTimeout     time.Duration    // ends a client session that made no call for so long; 0: never
	AbsoluteTimeout time.Duration    // ends a client session so long after its login; 0: never
	Lease           time.Duration    // 0: DefaultLease
	Now             func() time.Time // nil: time.Now

	// Changed, if not nil, hears of an account with sessions after something else
	// is known of it that leaves them, such as its grants. It is called outside all
	// locks and must not wait for long.
	Changed func(username string)
}

// Table is the connection table. All methods may be called at once from many
// goroutines. One read-write lock guards all but the tokens, which every call
// looks up.
type Table struct {
	options Options
	started time.Time // sessions' times count from here, on the monotonic clock
	lease   lease
	ended   [len(causeNames)]atomic.Uint64 // sessions so far, by their Cause

	tokens *tokens // changed under mu

	mu        sync.RWMutex // guards the rest
	ids       map[id]*Session
	sessions  []*Session                              // in no order; Session.place is the index
	listeners map[unique.Handle[account.Listener]]int // how many of the sessions came through each
	standings map[string]*standing                    // by username; only names with live sessions
	logins    map[string]map[*Login]struct{}
	epoch     uint64 // raised by what overtakes every login under way
}

// New returns an empty table. Its lease is over until the first Heartbeat.
func New(o Options) *Table {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lease == 0 {
		o.Lease = DefaultLease
	}
	return &Table{
		options:   o,
		started:   o.Now(),
		tokens:    newTokens(),
		ids:       map[id]*Session{},
		listeners: map[unique.Handle[account.Listener]]int{},
		standings: map[string]*standing{},
		logins:    map[string]map[*Login]struct{}{},
	}
}

// Len returns the number of sessions, expired ones included until Expire has
// seen them.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.sessions)
}

// Through returns the number of sessions that came through a listener, as Len
// counts them.
func (t *Table) Through(l account.Listener) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.listeners[unique.Make(l)]
}

// Count returns the number of an account's sessions, as Len counts them.
func (t *Table) Count(username string) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if st := t.standings[username]; st != nil {
		return len(st.sessions)
	}
	return 0
}

// Check returns the session of a token that is good now, and counts as
// activity of that session. It refuses with NotAuthenticated a token that is
// unknown, ended, expired, or of an account that has since been suspended,
// deleted or raised to another generation; and with ErrPastLease one that may
// or may not be good: wait with AwaitLease and check again.
func (t *Table) Check(token Token) (*Session, error) {
	now := t.options.Now()
	at := now.Sub(t.started)
	s := t.find(token, at)
	if s == nil {
		return nil, account.SessionEnded()
	}
	s.active.Store(int64(at))
	if !t.lease.good(now) {
		return nil, ErrPastLease
	}
	return s, nil
}

// Find returns the session of a token that Check would not refuse if the lease were
// good; nil if there is none. It says nothing of what the account may do now, and
// is no activity.
func (t *Table) Find(token Token) *Session { return t.find(token, t.elapsed()) }

func (t *Table) find(token Token, at time.Duration) *Session {
	s := t.tokens.find(&token)
	if s == nil || s.over() || t.expiry(s, at) != 0 {
		return nil
	}
	return s
}

var ofManagement = unique.Make(account.ManagementListener)

// expiry returns the cause for which a session is over by its own times, or 0.
// A call under way keeps a session from being idle.
func (t *Table) expiry(s *Session, at time.Duration) Cause {
	if s.listener == ofManagement {
		return 0 // it ends with its connection
	}
	o := &t.options
	if o.AbsoluteTimeout > 0 && at-s.started >= o.AbsoluteTimeout {
		return Expired
	}
	if o.IdleTimeout > 0 && at-time.Duration(s.active.Load()) >= o.IdleTimeout && !s.busy() {
		return Idle
	}
	return 0
}

// elapsed returns the time since the table began.
func (t *Table) elapsed() time.Duration { return t.options.Now().Sub(t.started) }

// time is elapsed's inverse, for rows.
func (t *Table) time(elapsed time.Duration) time.Time { return t.started.Add(elapsed).Round(0) }

// put enters s under a token and an id that no other session has. mu is held.
func (t *Table) put(s *Session) {
	for !t.tokens.enter(s) {
		s.token = newToken()
	}
	for t.ids[s.id] != nil {
		s.id = newID()
	}
	t.ids[s.id] = s
	t.listeners[s.listener]++
	s.place = int32(len(t.sessions))
	t.sessions = append(t.sessions, s)
	s.seat = int32(len(s.standing.sessions))
	s.standing.sessions = append(s.standing.sessions, s)
}

// take removes s, and its account's standing with the last of its sessions. It
// returns false if s was removed before. mu is held; whoever took a session
// tells its owner by finish, after letting go of mu.
func (t *Table) take(s *Session) bool {
	if !t.tokens.remove(s) {
		return false
	}
	s.phase.Store(ended)
	delete(t.ids, s.id)
	t.listeners[s.listener]--
	var moved *Session
	t.sessions, moved = without(t.sessions, s.place)
	moved.place = s.place
	st := s.standing
	st.sessions, moved = without(st.sessions, s.seat)
	moved.seat = s.seat
	if len(st.sessions) == 0 && t.standings[st.username] == st {
		delete(t.standings, st.username)
	}
	return true
}

// without puts the last session into the place of the one that leaves.
func without(list []*Session, place int32) (rest []*Session, moved *Session) {
	last := len(list) - 1
	moved = list[last]
	list[place] = moved
	list[last] = nil
	return list[:last], moved
}
