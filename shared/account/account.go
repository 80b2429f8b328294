package account

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ID identifies an account for ever: it is random, and never used again, even
// if an account of the same name is created later. Its text form is 32
// lower-case hexadecimal digits.
type ID string

// NewID returns a fresh random account id.
func NewID() ID {
	var b [16]byte
	rand.Read(b[:])
	return ID(hex.EncodeToString(b[:]))
}

// Generation counts, per account, the changes that end its tokens: every
// password set, actual role change, suspension and enabling raises it by one.
type Generation uint64

// Revision is a position in a store's change stream. It orders snapshots of
// one store and means nothing else.
type Revision uint64

// Role says what an account may do to the server itself.
type Role string

// The two roles. Every account has exactly one.
const (
	Admin Role = "ADMIN"
	User  Role = "USER"
)

// ParseRole reads a role in any letter case.
func ParseRole(s string) (Role, error) {
	switch r := Role(strings.ToUpper(s)); r {
	case Admin, User:
		return r, nil
	}
	return "", Invalid("role", "%q is not a role; use ADMIN or USER", Printable(s))
}

// Permission is what a grant gives in one environment.
type Permission string

// The two permissions. Write implies Read.
const (
	Read  Permission = "READ"
	Write Permission = "WRITE"
)

// ParsePermission reads a permission in any letter case.
func ParsePermission(s string) (Permission, error) {
	switch p := Permission(strings.ToUpper(s)); p {
	case Read, Write:
		return p, nil
	}
	return "", Invalid("permission", "%q is not a permission; use READ or WRITE", Printable(s))
}

// Grants maps an environment to the permissions granted in it. A nil map holds
// none.
type Grants map[string][]Permission

// Holds reports whether exactly p was granted in the environment.
func (g Grants) Holds(environment string, p Permission) bool {
	return slices.Contains(g[environment], p)
}

// Allows reports whether the grants suffice for p in the environment.
func (g Grants) Allows(environment string, p Permission) bool {
	return g.Holds(environment, Write) || p == Read && g.Holds(environment, Read)
}

// With returns a copy that also holds p in the environment; READ is listed
// before WRITE.
func (g Grants) With(environment string, p Permission) Grants {
	c := g.Clone()
	if c == nil {
		c = Grants{}
	}
	if !c.Holds(environment, p) {
		ps := append(slices.Clone(c[environment]), p)
		slices.Sort(ps)
		c[environment] = ps
	}
	return c
}

// Without returns a copy that holds nothing in the environment.
func (g Grants) Without(environment string) Grants {
	c := g.Clone()
	delete(c, environment)
	return c
}

// Clone returns a copy whose lists are shared: they are never changed in place.
func (g Grants) Clone() Grants { return maps.Clone(g) }

// Account is an account as its administrators see it. Its password hash stays
// in the plugin.
type Account struct {
	ID                ID
	Generation        Generation
	Username          string
	Role              Role
	Enabled           bool
	Grants            Grants
	CreatedAt         time.Time
	PasswordChangedAt time.Time
	LastLoginAt       time.Time // zero: never
}

// Snapshot returns what the host keeps of the account while it has sessions.
func (a Account) Snapshot(at Revision) Snapshot {
	return Snapshot{
		Username: a.Username, ID: a.ID, Generation: a.Generation, Role: a.Role,
		Enabled: a.Enabled, Grants: a.Grants, Revision: at,
	}
}

// Snapshot is what decides about a session's calls: the state of one account
// at a revision. A snapshot without an ID says that no account has the name.
type Snapshot struct {
	Username   string
	ID         ID
	Generation Generation
	Role       Role
	Enabled    bool
	Grants     Grants
	Revision   Revision
}

// Gone reports whether the snapshot says that the account does not exist.
func (s *Snapshot) Gone() bool { return s.ID == "" }

// Allows reports whether the account may use p in the environment.
func (s *Snapshot) Allows(environment string, p Permission) bool {
	return s.Enabled && !s.Gone() && (s.Role == Admin || s.Grants.Allows(environment, p))
}

// Printable returns s as it may stand in a message: cut to a length that fits a
// line, with an escape for whatever does not print. That is more than control
// characters: what reverses the direction of writing, or has no width, makes one
// name look like another.
func Printable(s string) string {
	const most = 64
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteString("…")
			break
		}
		switch {
		case unicode.IsPrint(r) && r != utf8.RuneError:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, "\\U%08x", r)
		default:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
