package account

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Desired says what an account is to be. What is empty stays as it is; a new
// account needs a password or a hash, and is otherwise an enabled User without
// grants.
type Desired struct {
	Username string
	Role     Role
	Enabled  *bool
	Grants   Grants // nil keeps them; otherwise exactly these
	OnlyNew  bool   // an account that exists is refused, with AlreadyExists

	// At most one of the two. A password that is the account's already changes
	// nothing, and neither does a hash that is.
	Password     Secret
	PasswordHash Secret // PHC form

	// Only with a hash: when it was set, and, of a new account, when it was
	// created and last logged in.
	CreatedAt         time.Time
	PasswordChangedAt time.Time
	LastLoginAt       time.Time
}

// SetsPassword reports whether the password is among what is said.
func (d *Desired) SetsPassword() bool { return d.Password != nil || d.PasswordHash != nil }

// Applied is what an Apply came to, or would come to.
type Applied struct {
	Change
	Before      *Account // nil: there was none, or the request is a repeat
	PasswordSet bool     // of a repeat: false
}

// EndsSessions reports whether the account's tokens from before are no longer
// good. Of a repeat it is not known any more what changed, so they are not.
func (a Applied) EndsSessions() bool {
	return a.Changed && (a.Before == nil || a.PasswordSet || a.Before.Role != a.Account.Role ||
		a.Before.Enabled != a.Account.Enabled || a.Before.Generation != a.Account.Generation)
}

// Difference is one thing that an Apply changes.
type Difference struct {
	Field    string // "role", "enabled", "grants.<environment>" or "password"
	From, To string // empty: nothing there. A password's are always empty
}

// Differences says what changed, in the order of the account's fields, then of
// the environments. Of a new account it tells all that is not empty.
func (a Applied) Differences() (all []Difference) {
	if !a.Changed || a.Repeated {
		return nil
	}
	var before Account
	enabledBefore := ""
	if a.Before != nil {
		before, enabledBefore = *a.Before, fmt.Sprint(a.Before.Enabled)
	}
	add := func(field, from, to string) {
		if from != to {
			all = append(all, Difference{field, from, to})
		}
	}
	add("role", string(before.Role), string(a.Account.Role))
	add("enabled", enabledBefore, fmt.Sprint(a.Account.Enabled))
	environments := map[string]bool{}
	for e := range before.Grants {
		environments[e] = true
	}
	for e := range a.Account.Grants {
		environments[e] = true
	}
	for _, e := range slices.Sorted(maps.Keys(environments)) {
		add("grants."+e, permissions(before.Grants[e]), permissions(a.Account.Grants[e]))
	}
	if a.PasswordSet {
		all = append(all, Difference{Field: "password"})
	}
	return all
}

func permissions(ps []Permission) string {
	var texts []string
	for _, p := range ps {
		texts = append(texts, string(p))
	}
	return strings.Join(texts, ", ")
}

// Exported is an account with its password hash.
type Exported struct {
	Account
	PasswordHash Secret // PHC form
}

// Recovery makes an account an enabled Admin with the given password.
type Recovery struct {
	Username  string
	Password  Secret
	RequestID RequestID
	Host      string
}

// Restored is what a store was given.
type Restored struct {
	Accounts uint64
	TakenAt  time.Time // when the backup was made
	StoreID  string    // the new one
}
