package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// Limits on what crosses a boundary, in bytes unless said.
const (
	MaxUsername     = 255
	MaxEnvironment  = 255
	MaxPassword     = 1024
	MaxEnvironments = 1024 // environments in which one account may hold grants
	MaxBatch        = 1000 // accounts, session rows or request records in one message
)

// NormalizeUsername checks a name and returns the one form in which it is
// stored and compared: PRECIS UsernameCasePreserved (RFC 8265), which is NFC
// with full-width characters mapped. Case is significant.
func NormalizeUsername(name string) (string, error) {
	switch {
	case name == "":
		return "", Invalid("username", "a username must not be empty")
	case len(name) > MaxUsername:
		return "", Invalid("username", "a username may have at most %d bytes, this one has %d", MaxUsername, len(name))
	case !utf8.ValidString(name):
		return "", Invalid("username", "a username must be valid UTF-8")
	case strings.ContainsFunc(name, unicode.IsSpace):
		return "", Invalid("username", "a username must not contain white space")
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", Invalid("username", "a username must not contain control characters")
	}
	n, err := precis.UsernameCasePreserved.String(name)
	if err != nil {
		return "", Invalid("username", "%q has a character that a username may not have; use letters, digits and ASCII punctuation", Printable(name))
	}
	if len(n) > MaxUsername {
		return "", Invalid("username", "a username may have at most %d bytes, this one has %d in its normal form", MaxUsername, len(n))
	}
	return n, nil
}

// CheckEnvironment accepts ASCII letters, digits and underscores. Another name
// is refused, and the refusal names the form that the server would clean it to.
func CheckEnvironment(name string) error {
	clean := CleanEnvironment(name)
	switch {
	case name == "":
		return Invalid("environment", "an environment's name must not be empty")
	case clean == "":
		return Invalid("environment", "%q is not an environment's name; use ASCII letters, digits and _", Printable(name))
	case clean != name:
		return Invalid("environment", "%q is not an environment's name; use ASCII letters, digits and _, for example %q", Printable(name), Printable(clean))
	case len(name) > MaxEnvironment:
		return Invalid("environment", "an environment's name may have at most %d bytes, this one has %d", MaxEnvironment, len(name))
	}
	return nil
}

// CleanEnvironment deletes what an environment's name may not have, as a
// Concourse server does. The result may be empty.
func CleanEnvironment(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, name)
}
