package users

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// stored is what the Accounts space keeps under a username. A release that adds
// a field raises the store's format: an older one refuses what it does not
// know rather than lose it at its next write.
type stored struct {
	ID                account.ID         `json:"id"`
	Generation        account.Generation `json:"generation"`
	Role              account.Role       `json:"role"`
	Enabled           bool               `json:"enabled"`
	Hash              string             `json:"hash"`                   // PHC form; goes nowhere but to the store
	RenewedFrom       string             `json:"renewed_from,omitempty"` // see renewedFrom; since format 2
	Grants            account.Grants     `json:"grants,omitempty"`
	CreatedAt         time.Time          `json:"created_at"`
	PasswordChangedAt time.Time          `json:"password_changed_at"`
}

// account returns the public part.
func (s *stored) account(username string, lastLogin time.Time) account.Account {
	return account.Account{
		ID: s.ID, Generation: s.Generation, Username: username, Role: s.Role, Enabled: s.Enabled,
		Grants: s.Grants, CreatedAt: s.CreatedAt, PasswordChangedAt: s.PasswordChangedAt, LastLoginAt: lastLogin,
	}
}

// administers reports whether the account, which may be nil, counts as an
// enabled ADMIN.
func (s *stored) administers() bool { return s != nil && s.Enabled && s.Role == account.Admin }

// needsHash reports whether the account, which may be nil, still lacks the hash
// of a password that it is to get.
func (s *stored) needsHash() bool { return s != nil && s.Hash == "" }

// setPassword raises the generation, even for the same password.
func (s *stored) setPassword(hash string, now time.Time) {
	s.Hash, s.RenewedFrom = hash, ""
	s.PasswordChangedAt = now
	s.Generation++
}

// hashIs reports whether the account's password is the one of that hash: it is
// the account's, or the account's was made from it when it was too weak.
func (s *stored) hashIs(hash string) bool {
	return s.Hash == hash || s.RenewedFrom != "" && s.RenewedFrom == renewedFrom(hash)
}

// renewedFrom names a weak hash that a stronger one has replaced, so that a file
// that still has the weak one is found to change nothing.
func renewedFrom(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return hex.EncodeToString(sum[:])
}

// accountIn reads an account, nil if there is none. The name is normalized.
func accountIn(r Reader, username string) (*stored, error) {
	var s stored
	found, err := get(r, Key{Accounts, username}, &s)
	if err != nil || !found {
		return nil, err
	}
	return &s, nil
}

// publicIn returns what administrators see of an account that was read from r.
func publicIn(r Reader, username string, s *stored) (account.Account, error) {
	last, err := lastSignIn(r, s.ID)
	return s.account(username, last), err
}

// get decodes the value of a key, and says whether there is one.
func get(r Reader, k Key, into any) (bool, error) {
	value, err := r.Get(k)
	if err != nil || value == nil {
		return false, err
	}
	return true, decode(k.Space, value, into)
}

func decode(space Space, value []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("a value in %s is not one that this release reads: %w", space, err)
	}
	return nil
}

func put(tx Tx, k Key, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Put(k, value)
}
