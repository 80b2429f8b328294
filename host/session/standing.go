package session

import (
	"sync/atomic"

	"github.com/cinchapi/concourse-users/shared/account"
)

// standing is what the live sessions of one account share: the id and the
// generation that their logins read, and the newest snapshot that confirms
// both. When either changes, or the account is suspended or gone, the standing
// ends as one, and a later login of that name begins another. So every session
// that has not ended is of the known id and generation, and Check need not
// compare.
type standing struct {
	table      *Table
	username   string
	id         account.ID
	generation account.Generation
	snapshot   atomic.Pointer[account.Snapshot] // never nil; replaced under the table's mu
	sessions   []*Session                       // guarded by the table's mu; Session.seat is the index
}

// nobody is the snapshot of a standing that is over: it allows nothing.
var nobody account.Snapshot

func (t *Table) newStanding(s *account.Snapshot) *standing {
	st := &standing{table: t, username: s.Username, id: s.ID, generation: s.Generation}
	st.snapshot.Store(s)
	return st
}

// agrees reports whether the snapshot leaves the standing's tokens good.
func (st *standing) agrees(s *account.Snapshot) bool {
	return s.ID == st.id && s.Generation == st.generation && s.Enabled
}

// detach ends a standing: from here on Check refuses its tokens, its snapshot
// allows nothing and no login joins it. clear, which follows, removes its
// sessions in batches; a concurrent Revoke need not wait for that. mu is held.
func (t *Table) detach(st *standing) {
	for _, s := range st.sessions {
		s.phase.Store(ended)
	}
	st.snapshot.Store(&nobody)
	delete(t.standings, st.username)
}

// Apply takes note of what a change stream, a reading or a change said of an
// account, and returns how many sessions that ended. It replaces what is known
// only by what is newer (rule 5). A name without sessions or logins under way
// is nobody's, and is ignored.
func (t *Table) Apply(s account.Snapshot) (ended int) {
	t.mu.Lock()
	for l := range t.logins[s.Username] {
		if l.noted == nil || l.noted.Revision < s.Revision {
			l.noted = copyOf(s)
		}
	}
	st := t.standings[s.Username]
	if st == nil || s.Revision <= st.snapshot.Load().Revision {
		t.mu.Unlock()
		return 0
	}
	if st.agrees(&s) {
		st.snapshot.Store(copyOf(s))
		t.mu.Unlock()
		if t.options.Changed != nil {
			t.options.Changed(s.Username)
		}
		return 0
	}
	t.detach(st)
	t.mu.Unlock()
	return t.clear(st, Revoked)
}

// copyOf keeps Apply's argument off the heap where nothing keeps it.
func copyOf(s account.Snapshot) *account.Snapshot { return &s }

// Revoke ends every session of an account and overtakes its logins under way,
// whatever is known of the account (rules 3 and 4). Call it after a change that
// revokes and before its answer: when it returns, no token that the account had
// is accepted. It returns how many sessions it ended.
func (t *Table) Revoke(username string) (ended int) {
	return t.revoke(username, func(*standing) bool { return true })
}

// RevokeAccount is Revoke for an account that is gone: the sessions of another
// one that has its name now stay.
func (t *Table) RevokeAccount(username string, id account.ID) (ended int) {
	return t.revoke(username, func(st *standing) bool { return st.id == id })
}

func (t *Table) revoke(username string, meant func(*standing) bool) (ended int) {
	t.mu.Lock()
	for l := range t.logins[username] {
		l.overtaken = true
	}
	st := t.standings[username]
	if st == nil || !meant(st) {
		t.mu.Unlock()
		return 0
	}
	t.detach(st)
	t.mu.Unlock()
	return t.clear(st, Revoked)
}

// Resync overtakes every login under way: changes may have gone by unseen. Call
// it when a new change stream is known to be open, before LiveAccounts.
func (t *Table) Resync() {
	t.mu.Lock()
	t.epoch++
	t.mu.Unlock()
}

// LiveAccounts returns the names that have sessions. After a gap in the change
// stream, call Heartbeat only when each has been read again and applied; a
// login that completes later saw the new stream, or is overtaken by Resync.
func (t *Table) LiveAccounts() []string {
	var names []string
	seen := map[*standing]struct{}{}
	for _, s := range t.snapshot() {
		st := s.standing
		if _, ok := seen[st]; !ok && !s.over() {
			seen[st] = struct{}{}
			names = append(names, st.username)
		}
	}
	return names
}
