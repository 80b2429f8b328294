package session

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Key is what sessions are counted by.
type Key int

// The keys.
const (
	KeyAccount Key = iota
	KeyAddress     // without the port
	KeyEnvironment
)

// Keys lists them, as people write them.
var Keys = []string{KeyAccount: "account", KeyAddress: "address", KeyEnvironment: "environment"}

// String returns the key as people write it.
func (k Key) String() string { return Keys[k] }

// ParseKey reads what String writes. It refuses with Invalid.
func ParseKey(text string) (Key, error) {
	i, err := parseName(Keys, "count-by", text)
	return Key(i), err
}

// Count is how many sessions have a value. No environment is an empty one.
type Count struct {
	Value    string
	Sessions uint64
}

// Tally counts rows by a key, batch by batch. It holds the values that occur,
// and no rows.
type Tally struct {
	key    Key
	counts map[string]uint64
}

// NewTally returns one that has counted nothing.
func NewTally(k Key) *Tally { return &Tally{k, map[string]uint64{}} }

// Add counts rows.
func (t *Tally) Add(rows []account.Session) {
	for i := range rows {
		t.counts[t.key.of(&rows[i])]++
	}
}

func (k Key) of(r *account.Session) string {
	switch k {
	case KeyAddress:
		_, without := addressForms(r.RemoteAddress)
		return without
	case KeyEnvironment:
		return r.Environment
	}
	return r.Username
}

// Counts returns the counts, the most frequent value first, and then by value.
func (t *Tally) Counts() []Count {
	all := make([]Count, 0, len(t.counts))
	for value, n := range t.counts {
		all = append(all, Count{value, n})
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Sessions, a.Sessions), cmp.Compare(a.Value, b.Value))
	})
	return all
}

func parseName(names []string, field, text string) (int, error) {
	i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, text) })
	if i < 0 {
		return 0, account.Invalid(field, "%q is not among %s", account.Printable(text), strings.Join(names, ", "))
	}
	return i, nil
}
