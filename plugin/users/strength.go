package users

import (
	"strings"
	"unicode"

	zxcvbn "github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/match"
	"github.com/ccojocar/zxcvbn-go/matching"
)

// bestStrength is that of a password which takes some 10^12 guesses or more.
const bestStrength = 4

// What an estimate costs grows with the square of the length, and with the
// number of ways to read symbols as letters. A password that has many such
// symbols is not a word in disguise.
const (
	mostEstimated = 64 // characters, the first ones
	mostDisguises = 6
)

// disguises are the symbols that stand for letters.
const disguises = "4@8({[<3691!|70$5+%2"

// strength estimates, as zxcvbn does, how hard a password is to guess for
// somebody who knows the username: from 0, at once, to bestStrength.
func strength(username, prepared string) int {
	known := append(strings.FieldsFunc(username, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), username)
	var filters []func(match.Matcher) bool
	estimated := firstRunes(prepared, mostEstimated)
	if countAny(estimated, disguises) > mostDisguises {
		filters = append(filters, matching.FilterL33tMatcher)
	}
	return zxcvbn.PasswordStrength(estimated, known, filters...).Score
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// countAny counts how many of the characters occur in s.
func countAny(s, chars string) (n int) {
	for _, c := range chars {
		if strings.ContainsRune(s, c) {
			n++
		}
	}
	return n
}
