package session

import (
	"errors"

	"github.com/cinchapi/concourse-users/shared/account"
)

// ErrRepeat says that a change may have overtaken the login since the backend
// read the account; ask the backend again and complete the same Login.
var ErrRepeat = errors.New("the login was overtaken by a change of the account")

var (
	errOtherName = errors.New("the backend answered the login with another account")
	errLoginOver = errors.New("the login was completed or abandoned before")
)

// Login is a login under way. One goroutine uses it.
type Login struct {
	table      *Table
	username   string
	registered bool // in table.logins

	// Guarded by table.mu.
	epoch     uint64            // the table's, when the backend was asked
	overtaken bool              // by a revocation since then
	noted     *account.Snapshot // the newest that was applied since then
}

// Begin registers a login, before the backend is asked about it (rule 4). The
// username is in its normal form. Abandon it in any case; after an accepted
// Complete that does nothing.
func (t *Table) Begin(username string) *Login {
	l := &Login{table: t, username: username, registered: true}
	t.mu.Lock()
	defer t.mu.Unlock()
	l.epoch = t.epoch
	if t.logins[username] == nil {
		t.logins[username] = map[*Login]struct{}{}
	}
	t.logins[username][l] = struct{}{}
	return l
}

// Abandon ends a login without a session.
func (l *Login) Abandon() {
	if !l.registered {
		return
	}
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	l.unregister()
}

// Complete makes a session of a login that the backend accepted, from the
// account that it read. Refusals leave the login registered:
//   - ErrRepeat, if a revocation, a newer snapshot that takes the login's ground
//     away, or a gap in the change stream came since Begin, or since the last
//     ErrRepeat;
//   - ErrPastLease, after which the same read may be completed once AwaitLease
//     returned;
//   - NotAuthenticated, if the account read is gone or suspended.
//
// A snapshot that is newer than what is known becomes what is known, and ends
// older sessions that it contradicts.
func (l *Login) Complete(read account.Snapshot, d Details) (Token, *Session, error) {
	t := l.table
	switch {
	case read.Username != l.username:
		return Token{}, nil, errOtherName
	case read.Gone() || !read.Enabled:
		return Token{}, nil, account.NotAuthenticated()
	}
	now := t.options.Now()
	if !t.lease.good(now) {
		return Token{}, nil, ErrPastLease
	}
	s := newSession(now.Sub(t.started), d)
	t.mu.Lock()
	contradicted, err := l.settle(&read, s)
	token := s.token
	t.mu.Unlock()
	if err != nil {
		return Token{}, nil, err
	}
	if contradicted != nil {
		t.clear(contradicted, Revoked)
	}
	return token, s, nil
}

// settle enters s into the table if the read still holds, and returns a
// standing that it ended. table.mu is held.
func (l *Login) settle(read *account.Snapshot, s *Session) (contradicted *standing, err error) {
	t := l.table
	if !l.registered {
		return nil, errLoginOver
	}
	fresh := t.newStanding(read)
	known := t.standings[l.username]
	newest := read
	later := []*account.Snapshot{l.noted}
	if known != nil {
		later = append(later, known.snapshot.Load())
	}
	overtaken := l.overtaken || l.epoch != t.epoch
	for _, n := range later {
		if n == nil || n.Revision < read.Revision {
			continue
		}
		overtaken = overtaken || !fresh.agrees(n)
		if n.Revision > newest.Revision {
			newest = n
		}
	}
	if overtaken {
		l.overtaken, l.noted, l.epoch = false, nil, t.epoch
		return nil, ErrRepeat
	}
	l.unregister()
	if known != nil && !known.agrees(newest) {
		t.detach(known)
		contradicted, known = known, nil
	}
	if known == nil {
		known = fresh
		t.standings[l.username] = fresh
	}
	known.snapshot.Store(newest)
	s.standing = known
	t.put(s)
	return contradicted, nil
}

// unregister forgets the login. table.mu is held.
func (l *Login) unregister() {
	l.registered = false
	under := l.table.logins[l.username]
	delete(under, l)
	if len(under) == 0 {
		delete(l.table.logins, l.username)
	}
}
