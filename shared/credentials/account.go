package credentials

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Account is one account of the original.
type Account struct {
	ID       int16
	Username string // any bytes but white space; the original compares them as they are
	Role     Role
	Enabled  bool
	Grants   map[string]account.Permission // one for each environment

	// Unknown are columns that no release up to 0.12 writes, sorted.
	Unknown []string

	// Of the password the original keeps a salt, and the SHA-512 of its bytes and
	// then the salt's.
	Salt, Digest account.Secret
}

// Role is a role of the original.
type Role string

// The roles. NoRole is what the original leaves behind when it is asked for an
// account with the role SERVICE, which is its own: the account logs in and may do
// nothing.
const (
	NoRole  Role = ""
	Admin   Role = Role(account.Admin)
	User    Role = Role(account.User)
	Service Role = "SERVICE"
)

// roles are in the order of the original's numbers.
var roles = []Role{Admin, User, Service}

// PasswordHash returns salt and digest in the form in which a backend takes them
// over.
func (a *Account) PasswordHash() account.Secret {
	b := base64.RawStdEncoding
	return account.Secret("$concourse-sha512$" + b.EncodeToString(a.Salt) + "$" + b.EncodeToString(a.Digest))
}

// HasPassword reports whether that is the account's password.
func (a *Account) HasPassword(password string) bool {
	sum := sha512.Sum512(append([]byte(password), a.Salt...))
	return bytes.Equal(sum[:], a.Digest)
}
