package session

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"
)

// Order is what a listing is sorted by. Sessions that are equal in it follow
// each other by age, the oldest first.
type Order int

// The orders.
const (
	ByConnected   Order = iota // the oldest first
	ByAccount                  // by username
	ByAddress                  // by the bytes of the remote address, then by port; what is no IP address last, as text
	ByEnvironment              // by name
	ByActive                   // the last active first
	ByCalls                    // the most calls first
	ByTransaction              // by the oldest open transaction, the oldest first; who has none last
)

// Orders lists them, as people write them.
var Orders = []string{
	ByConnected: "connected", ByAccount: "account", ByAddress: "address",
	ByEnvironment: "environment", ByActive: "active", ByCalls: "calls", ByTransaction: "transaction",
}

// String returns the order as people write it.
func (o Order) String() string { return Orders[o] }

// sort puts the sessions in order. What may change meanwhile is read once, so
// that the order is one.
func (o Order) sort(sessions []*Session) {
	switch o {
	case ByAccount:
		sortBy(sessions, func(s *Session) string { return s.standing.username }, cmp.Compare)
	case ByAddress:
		sortBy(sessions, newPlace, place.compare)
	case ByEnvironment:
		sortBy(sessions, func(s *Session) string { return s.environment.Value() }, cmp.Compare)
	case ByActive:
		sortBy(sessions, func(s *Session) int64 { return -s.active.Load() }, cmp.Compare)
	case ByCalls:
		sortBy(sessions, func(s *Session) uint64 { return s.calls.Load() }, func(a, b uint64) int { return cmp.Compare(b, a) })
	case ByTransaction:
		sortBy(sessions, (*Session).oldestTransaction, cmp.Compare)
	default:
		slices.SortFunc(sessions, byAge)
	}
}

func byAge(a, b *Session) int {
	if c := cmp.Compare(a.started, b.started); c != 0 {
		return c
	}
	return cmp.Compare(a.id, b.id)
}

// sortBy reads each session's key once.
func sortBy[K any](sessions []*Session, key func(*Session) K, compare func(a, b K) int) {
	type keyed struct {
		key     K
		session *Session
	}
	all := make([]keyed, len(sessions))
	for i, s := range sessions {
		all[i] = keyed{key(s), s}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		if c := compare(a.key, b.key); c != 0 {
			return c
		}
		return byAge(a.session, b.session)
	})
	for i, k := range all {
		sessions[i] = k.session
	}
}

// never is later than any transaction.
const never time.Duration = math.MaxInt64

// oldestTransaction returns since when the session holds a transaction open.
func (s *Session) oldestTransaction() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := never
	for _, t := range s.transactions {
		oldest = min(oldest, t.since)
	}
	return oldest
}

// place is a remote address, ready to be compared.
type place struct {
	ip   netip.Addr // invalid: text is all there is
	port int
	text string
}

func newPlace(s *Session) place {
	ip, port, ok := parseAddress(s.remoteAddress)
	if !ok {
		return place{text: s.remoteAddress}
	}
	return place{ip: ip, port: port}
}

func (p place) compare(o place) int {
	if p.ip.IsValid() != o.ip.IsValid() {
		if p.ip.IsValid() {
			return -1
		}
		return 1
	}
	return cmp.Or(p.ip.Compare(o.ip), cmp.Compare(p.port, o.port), cmp.Compare(p.text, o.text))
}

// ParseOrder reads what String writes. It refuses with Invalid.
func ParseOrder(text string) (Order, error) {
	i, err := parseName(Orders, "sort", text)
	return Order(i), err
}
