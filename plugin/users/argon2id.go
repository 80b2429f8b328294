package users

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"golang.org/x/text/secure/precis"

	"github.com/cinchapi/concourse-users/shared/account"
)

// argon2id keeps passwords as argon2id, over the PRECIS OpaqueString form (RFC
// 8265): NFC, every kind of space made the ASCII one, no control characters.
type argon2id struct {
	memory uint32 // KiB
	passes int
	least  uint64 // KiB times passes, of a hash that must not be cheap to guess from
}

// owasp is the cost that OWASP recommends at least: 19 MiB, two passes, one
// lane.
var owasp = argon2id{memory: 19456, passes: 2, least: leastWork}

// leastWork is the cheapest among OWASP's equal choices: 7 MiB, five passes. It
// does not rise with what new hashes cost, since what earlier releases made must
// still come in.
const leastWork = 5 * 7168 // KiB times passes

const (
	lanes      = 1
	saltLength = 16
	keyLength  = 32
)

// Ceilings for stored hashes, so that a tampered store cannot exhaust the
// machine.
const (
	mostMemory  = 1 << 20 // KiB, 1 GiB
	mostPasses  = 16
	mostLanes   = 16
	mostEncoded = 512 // bytes
)

// Bounds for hashes that are given in place of a password: verifying one costs
// about twenty of our own at most, and a short key would match by chance. There
// is no least cost, since a weak hash is renewed at the next login; but see least.
const (
	mostGivenMemory = 256 << 10 // KiB
	mostGivenPasses = 10
	mostGivenWork   = 3 * mostGivenMemory // KiB times passes
	leastGivenSalt  = 8                   // bytes, and so are the rest
	mostGivenSalt   = 64
	leastGivenKey   = 16
	mostGivenKey    = 64
)

var errHashForm = errors.New("the stored password hash is not in a form that this release reads")

func (argon2id) name() string { return "argon2id" }

func (argon2id) prepare(password account.Secret) (string, error) {
	if !utf8.Valid(password) {
		return "", badPassword("a password must be valid UTF-8")
	}
	prepared, err := precis.OpaqueString.Bytes(password)
	if err != nil {
		return "", badPassword("the password has a character that a password may not have; use letters, digits, punctuation, symbols and spaces")
	}
	return string(prepared), nil
}

func (a argon2id) hash(prepared string) (string, error) {
	h, err := a.hasher()
	if err != nil {
		return "", err
	}
	d, err := h.Hash(prepared)
	if err != nil {
		return "", err
	}
	return d.Encode(), nil
}

func (a argon2id) hasher() (*argon2.Hasher, error) {
	return argon2.New(argon2.WithVariantID(), argon2.WithM(a.memory), argon2.WithT(a.passes),
		argon2.WithP(lanes), argon2.WithS(saltLength), argon2.WithK(keyLength))
}

func (a argon2id) decoy() string {
	random := make([]byte, saltLength+keyLength)
	rand.Read(random)
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", a.memory, a.passes, lanes,
		b.EncodeToString(random[:saltLength]), b.EncodeToString(random[saltLength:]))
}

func (a argon2id) parse(encoded string) (digest, error) { return a.read(encoded) }

// read takes the canonical form only: what the library reads more liberally
// than it writes is refused. Its errors don't quote the hash (rule 9).
func (a argon2id) read(encoded string) (argon2idDigest, error) {
	none := argon2idDigest{}
	if len(encoded) > mostEncoded {
		return none, errHashForm
	}
	decoded, err := argon2.DecodeVariant(argon2.VariantID)(encoded)
	d, ok := decoded.(*argon2.Digest)
	if err != nil || !ok || d.Encode() != encoded {
		return none, errHashForm
	}
	var memory, passes, p uint32
	if _, err := fmt.Sscanf(encoded, "$argon2id$v=19$m=%d,t=%d,p=%d$", &memory, &passes, &p); err != nil {
		return none, errHashForm
	}
	if p < 1 || p > mostLanes || passes < 1 || passes > mostPasses || memory < 8*p || memory > mostMemory {
		return none, errHashForm
	}
	// What memory and passes cost together is what OWASP's list of equal
	// choices keeps about constant.
	work := uint64(memory) * uint64(passes)
	salt, key := len(d.Salt()), len(d.Key())
	return argon2idDigest{
		Digest: d,
		cheap:  work < uint64(a.memory)*uint64(a.passes),
		firm:   work >= a.least,
		fitting: memory <= mostGivenMemory && passes <= mostGivenPasses && work <= mostGivenWork &&
			salt >= leastGivenSalt && salt <= mostGivenSalt && key >= leastGivenKey && key <= mostGivenKey,
	}, nil
}

func (argon2id) accepts() string {
	return fmt.Sprintf("use argon2id in PHC form, $argon2id$v=19$m=…,t=…,p=…$salt$hash, with m at most %d (%d MiB), t at most %d, "+
		"m times t at most %d, p at most %d, a salt of %d to %d bytes and a hash of %d to %d",
		mostGivenMemory, mostGivenMemory>>10, mostGivenPasses, mostGivenWork, mostLanes,
		leastGivenSalt, mostGivenSalt, leastGivenKey, mostGivenKey)
}

type argon2idDigest struct {
	algorithm.Digest
	cheap, firm, fitting bool
}

func (d argon2idDigest) matches(prepared string) bool { return d.Match(prepared) }

func (d argon2idDigest) weak() bool { return d.cheap }

func (d argon2idDigest) lasts() bool { return d.firm }

func (d argon2idDigest) fits() bool { return d.fitting }
