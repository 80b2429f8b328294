package session

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Token is an access token. Whoever shows it is its session's account, so it
// prints as a placeholder in every format; Text and token[:] are the only ways
// out.
type Token [32]byte

const redacted = "[token]"

func newToken() (t Token) {
	rand.Read(t[:])
	return t
}

// ParseToken reads the form that Text writes. It refuses any other with
// NotAuthenticated, as Check refuses an unknown token.
func ParseToken(text string) (Token, error) {
	var t Token
	if len(text) != base64.RawURLEncoding.EncodedLen(len(t)) {
		return Token{}, account.SessionEnded()
	}
	// The decoder passes over line breaks: a text with some has fewer bytes.
	if n, err := base64.RawURLEncoding.Strict().Decode(t[:], []byte(text)); err != nil || n != len(t) {
		return Token{}, account.SessionEnded()
	}
	return t, nil
}

// Text returns the token itself: 43 characters of base64url, without padding.
func (t Token) Text() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// Format writes the placeholder, whatever the verb.
func (Token) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// String returns the placeholder.
func (Token) String() string { return redacted }

// MarshalText returns the placeholder.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// key is the part of the token by which the table finds its session: a map of
// 8-byte keys is a third of the size of one of whole tokens, and the rest is
// compared in constant time.
func (t *Token) key() uint64 { return binary.LittleEndian.Uint64(t[:]) }

func (t *Token) equal(o *Token) bool { return subtle.ConstantTimeCompare(t[:], o[:]) == 1 }
