package session

import (
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Filter chooses sessions. Its fields are exact and add up; an empty one lets
// everything through.
type Filter struct {
	Account string // the username
	Address string // the remote address, with or without its port
	// Environment is that of the login or of an open transaction.
	Environment string
	// InTransaction lets through only those that hold a transaction open.
	InTransaction bool
}

// Listing says which sessions to list, and how.
type Listing struct {
	Filter
	Order   Order
	Reverse bool // the other way round
	// Limit is how many rows are wanted; 0: all. List makes its batches no
	// larger than it takes, but leaves it to the caller to stop, who knows how
	// many of the rows are shown.
	Limit int
}

// List returns how many live sessions pass the filter, and their rows in the
// listing's order, in batches of at most account.MaxBatch. The lock is held
// only to copy pointers; rows are made batch by batch, as the sessions are
// then, and those that have ended meanwhile are left out.
func (t *Table) List(l Listing) (total int, batches iter.Seq[[]account.Session]) {
	sessions := t.chosen(l.Filter)
	l.Order.sort(sessions)
	if l.Reverse {
		slices.Reverse(sessions)
	}
	return len(sessions), func(yield func([]account.Session) bool) {
		for chunk := range slices.Chunk(sessions, l.batch()) {
			at := t.elapsed()
			rows := make([]account.Session, 0, len(chunk))
			for _, s := range chunk {
				// Looking first would let a row through that shows the end.
				if row := s.row(); s.live(at) {
					rows = append(rows, row)
				}
			}
			if len(rows) > 0 && !yield(rows) {
				return
			}
		}
	}
}

// fewest is the smallest batch that a limit asks for: where rows are withheld,
// a limit of 1 is not to cost a trip to the plugin for each of them.
const fewest = 50

func (l *Listing) batch() int {
	if l.Limit == 0 {
		return account.MaxBatch
	}
	return min(max(l.Limit, fewest), account.MaxBatch)
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

// chosen returns the live sessions that pass the filter, in no order.
func (t *Table) chosen(f Filter) []*Session {
	var sessions []*Session
	if f.Account != "" {
		sessions = t.sessionsOf(f.Account)
	} else {
		sessions = t.snapshot()
	}
	at := t.elapsed()
	return slices.DeleteFunc(sessions, func(s *Session) bool { return !f.passes(s) || !s.live(at) })
}

// live reports whether the session has neither ended nor outlived its times.
func (s *Session) live(at time.Duration) bool {
	return !s.over() && s.standing.table.expiry(s, at) == 0
}

func (f *Filter) passes(s *Session) bool {
	if f.Environment != "" && s.environment.Value() != f.Environment && !s.holdsIn(f.Environment) {
		return false
	}
	if f.InTransaction && s.oldestTransaction() == never {
		return false
	}
	if f.Address == "" {
		return true
	}
	want, _ := addressForms(f.Address)
	with, without := addressForms(s.remoteAddress)
	return want == with || want == without
}

// holdsIn reports whether the session holds a transaction open in an environment.
func (s *Session) holdsIn(environment string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.transactions {
		if t.environment == environment {
			return true
		}
	}
	return false
}

// addressForms returns an address with its port, if it has one, and without, in
// the one way of writing them; what is not an IP address stays as it is.
func addressForms(address string) (with, without string) {
	ip, port, ok := parseAddress(address)
	switch {
	case !ok:
		return address, address
	case port < 0:
		return ip.String(), ip.String()
	}
	return netip.AddrPortFrom(ip, uint16(port)).String(), ip.String()
}

// CheckAddress refuses with Invalid what is neither an IP address, with or without
// a port, nor what a listener calls a local caller. Empty is every address.
func CheckAddress(text string) error {
	if _, _, ok := parseAddress(text); ok || text == "" {
		return nil
	}
	if uid, local := strings.CutPrefix(text, "uid:"); local {
		if _, err := strconv.ParseUint(uid, 10, 32); err == nil {
			return nil
		}
	}
	return account.Invalid("address", "%q is not an address; use an IP address, with or without its port, such as 10.0.0.7 or [::1]:52013, or uid:N of a local caller", account.Printable(text))
}

// parseAddress reads an IP address; port is -1 where it has none.
func parseAddress(address string) (ip netip.Addr, port int, ok bool) {
	if both, err := netip.ParseAddrPort(address); err == nil {
		return both.Addr().Unmap(), int(both.Port()), true
	}
	ip, err := netip.ParseAddr(address)
	return ip.Unmap(), -1, err == nil
}
