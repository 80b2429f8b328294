package users

import (
	"crypto/sha512"
	"encoding/base64"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// argon2idSHA512 keeps passwords that were taken over from the Java original: as
// argon2id over the SHA-512 that it had kept of the password's bytes and a salt.
// Its form is argon2id's under a name of its own. The salt is used in both, which
// makes the same of the same twice: a file that was imported before is found to
// change nothing, even after a login has renewed what was made of it.
type argon2idSHA512 struct{ over argon2id }

func (argon2idSHA512) name() string { return "argon2id-sha512" }

// prepare returns the bytes as they are: those are what the original has hashed.
func (argon2idSHA512) prepare(password account.Secret) (string, error) { return string(password), nil }

func (a argon2idSHA512) wrap(o originalHash) (string, error) {
	hasher, err := a.over.hasher()
	if err != nil {
		return "", err
	}
	d, err := hasher.HashWithSalt(string(o.digest), o.salt)
	if err != nil {
		return "", err
	}
	return "$" + a.name() + strings.TrimPrefix(d.Encode(), "$"+a.over.name()), nil
}

func (a argon2idSHA512) parse(encoded string) (digest, error) {
	rest, ok := strings.CutPrefix(encoded, "$"+a.name()+"$")
	if !ok {
		return nil, errHashForm
	}
	d, err := a.over.read("$" + a.over.name() + "$" + rest)
	return argon2idSHA512Digest{d}, err
}

type argon2idSHA512Digest struct{ argon2idDigest }

func (d argon2idSHA512Digest) matches(password string) bool {
	sum := sha512.Sum512(append([]byte(password), d.Salt()...))
	return d.argon2idDigest.matches(string(sum[:]))
}

// fits refuses what is cheaper than any that was ever made: a login renews the
// hash only if the password is one that could be set today.
func (d argon2idSHA512Digest) fits() bool { return d.argon2idDigest.fits() && d.lasts() }

// originalHash is what the original keeps of a password. A password can be
// guessed from it so fast that no store ever gets it, nor anything made of it
// that costs less than leastWork to check.
type originalHash struct{ salt, digest []byte }

// originalForm is what its text begins with; the salt and the digest follow, in
// base64, as in PHC forms.
const originalForm = "$concourse-sha512$"

// readOriginalHash returns nil for what is none.
func readOriginalHash(given string) *originalHash {
	rest, ok := strings.CutPrefix(given, originalForm)
	if !ok || len(given) > mostEncoded {
		return nil
	}
	salt, digest, _ := strings.Cut(rest, "$")
	var o originalHash
	var err error
	if o.salt, err = base64.RawStdEncoding.Strict().DecodeString(salt); err != nil || len(o.salt) < leastGivenSalt || len(o.salt) > mostGivenSalt {
		return nil
	}
	if o.digest, err = base64.RawStdEncoding.Strict().DecodeString(digest); err != nil || len(o.digest) != sha512.Size {
		return nil
	}
	return &o
}
