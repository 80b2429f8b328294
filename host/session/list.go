package session

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Filter chooses sessions. Its fields are exact and add up; an empty one lets
// everything through.
type Filter struct {
	Account     string // the username
	Address     string // the remote address, with or without its port
	Environment string
}

// List returns the live sessions that pass the filter, oldest first, in batches
// of at most account.MaxBatch. The lock is held only to copy pointers; rows are
// made batch by batch, as the sessions are then, and those that have ended
// meanwhile are left out.
func (t *Table) List(f Filter) iter.Seq[[]account.Session] {
	return func(yield func([]account.Session) bool) {
		sessions := t.chosen(f)
		for chunk := range slices.Chunk(sessions, account.MaxBatch) {
			at := t.elapsed()
			rows := make([]account.Session, 0, len(chunk))
			for _, s := range chunk {
				// Looking first would let a row through that shows the end.
				if row := s.row(); !s.ended.Load() && t.expiry(s, at) == 0 {
					rows = append(rows, row)
				}
			}
			if len(rows) > 0 && !yield(rows) {
				return
			}
		}
	}
}

// snapshot returns every session that is in the table now.
func (t *Table) snapshot() []*Session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.sessions)
}

func (t *Table) sessionsOf(username string) []*Session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if st := t.standings[username]; st != nil {
		return slices.Clone(st.sessions)
	}
	return nil
}

func (t *Table) chosen(f Filter) []*Session {
	var sessions []*Session
	if f.Account != "" {
		sessions = t.sessionsOf(f.Account)
	} else {
		sessions = t.snapshot()
	}
	sessions = slices.DeleteFunc(sessions, func(s *Session) bool { return !f.passes(s) })
	slices.SortFunc(sessions, func(a, b *Session) int {
		return cmp.Or(cmp.Compare(a.started, b.started), cmp.Compare(a.id, b.id))
	})
	return sessions
}

func (f *Filter) passes(s *Session) bool {
	if f.Environment != "" && s.environment.Value() != f.Environment {
		return false
	}
	if f.Address == "" {
		return true
	}
	want, _ := addressForms(f.Address)
	with, without := addressForms(s.remoteAddress)
	return want == with || want == without
}

// addressForms returns an address with its port, if it has one, and without, in
// the one way of writing them; what is not an IP address stays as it is.
func addressForms(address string) (with, without string) {
	if both, err := netip.ParseAddrPort(address); err == nil {
		ip := both.Addr().Unmap()
		return netip.AddrPortFrom(ip, both.Port()).String(), ip.String()
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		address = ip.Unmap().String()
	}
	return address, address
}
