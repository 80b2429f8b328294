package users

import (
	"slices"
	"strings"
	"unicode"

	"github.com/ccojocar/zxcvbn-go/scoring"
)

// bestStrength is that of a password which takes some 10^12 guesses or more.
const bestStrength = 4

// What an estimate costs grows with the square of the length.
const mostEstimated = 64 // characters, the first ones

// strength estimates, as zxcvbn does, how hard a password is to guess for
// somebody who knows the username: from 0, at once, to bestStrength. What can be
// recognized in the password is found here, and weighed by the library. Its own
// finder reads every word list when the process starts, which takes longer than
// all else that a plugin does then, whether or not a strength is ever asked for.
func strength(username, prepared string) int {
	known := append(strings.FieldsFunc(username, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), username)
	estimated := firstRunes(prepared, mostEstimated)
	return scoring.MinimumEntropyMatchSequence(estimated, slices.Concat(
		wordsIn(estimated, append(wordLists(), newWordList(known))),
		keyRuns(estimated), repeats(estimated), sequences(estimated), dates(estimated),
	)).Score
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
