package users

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go/data"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
)

// wordList is a list's words in lower case, each with its place in it: the
// first is the most common.
type wordList struct {
	ranks   map[string]int
	longest int // characters
}

func newWordList(words []string) wordList {
	l := wordList{ranks: make(map[string]int, len(words))}
	for i, w := range words {
		w = strings.ToLower(w)
		l.ranks[w] = i + 1
		l.longest = max(l.longest, utf8.RuneCountInString(w))
	}
	return l
}

// The names of the lists that zxcvbn ships.
const passwordsList = "Passwords"

var shippedLists = []string{"English", "MaleNames", "FemaleNames", "Surnames", passwordsList}

// wordLists are read at the first estimate. Callers may append.
var wordLists = sync.OnceValue(func() []wordList {
	var all []wordList
	for _, name := range shippedLists {
		all = append(all, newWordList(shippedList(name)))
	}
	return slices.Clip(all)
})

// shippedList returns the words of a list, the most common first.
func shippedList(name string) []string {
	var l struct{ List []string }
	text, err := data.Asset("data/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		panic(fmt.Errorf("the list %s, which is part of this executable: %w", name, err))
	}
	return l.List
}

// plain is what symbols stand for in disguised words; some stand for either of
// two letters.
var plain = map[rune]string{
	'4': "a", '@': "a", '8': "b", '(': "c", '{': "c", '[': "c", '<': "c", '3': "e", '6': "g", '9': "g", '!': "i",
	'1': "il", '|': "il", '7': "lt", '0': "o", '$': "s", '5': "s", '+': "t", '%': "x", '2': "z",
}

// wordsIn finds words of the lists, as they are and in disguise.
func wordsIn(password string, lists []wordList) (found []match.Match) {
	for _, variant := range undisguised([]rune(password)) {
		found = append(found, wordsOf(password, variant, lists)...)
	}
	return found
}

// undisguised returns the characters, and everything that they may stand for:
// the same symbol for the same letter, which makes eight variants at most.
func undisguised(characters []rune) [][]rune {
	variants := [][]rune{characters}
	for symbol, letters := range plain {
		if !slices.Contains(characters, symbol) {
			continue
		}
		if len(variants) == 1 { // the original stays as it is
			variants = append(variants, characters)
		}
		var next [][]rune
		for _, v := range variants[1:] {
			for _, letter := range letters {
				next = append(next, replaced(v, symbol, letter))
			}
		}
		variants = append(variants[:1], next...)
	}
	return variants
}

func replaced(characters []rune, symbol, letter rune) []rune {
	out := slices.Clone(characters)
	for i, c := range out {
		if c == symbol {
			out[i] = letter
		}
	}
	return out
}

// wordsOf finds the variant's words, and says where in the password they are.
func wordsOf(password string, variant []rune, lists []wordList) (found []match.Match) {
	var starts []int // of the characters, and the end
	for i := range password {
		starts = append(starts, i)
	}
	starts = append(starts, len(password))
	lower := make([]rune, len(variant))
	for i, c := range variant {
		lower[i] = unicode.ToLower(c)
	}
	for _, l := range lists {
		for i := range lower {
			for j := i + 1; j <= min(i+l.longest, len(lower)); j++ {
				rank, ok := l.ranks[string(lower[i:j])]
				if !ok {
					continue
				}
				m := match.Match{Pattern: "dictionary", I: starts[i], J: starts[j] - 1, Token: string(variant[i:j])}
				m.Entropy = entropy.DictionaryEntropy(m, float64(rank))
				found = append(found, m)
			}
		}
	}
	return found
}
