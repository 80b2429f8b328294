package users

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/ccojocar/zxcvbn-go/adjacency"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
)

// shortestRun is the least number of characters that make a pattern.
const shortestRun = 3

// keyRuns finds keys that lie beside each other, on any keyboard.
func keyRuns(password string) (found []match.Match) {
	for _, keyboard := range []string{"qwerty", "dvorak", "keypad", "macKeypad"} {
		keys := adjacency.GraphMap[keyboard]
		for i, j := 0, 0; i < len(password); i = j {
			turns, shifted, last := 0, 0, -1
			for j = i + 1; j < len(password); j++ {
				direction, shift := towards(keys.Graph[password[j-1:j]], password[j])
				if direction < 0 {
					break
				}
				if direction != last {
					turns++
				}
				if shift {
					shifted++
				}
				last = direction
			}
			if j-i >= shortestRun {
				m := match.Match{Pattern: "spatial", DictionaryName: keys.Name, I: i, J: j - 1, Token: password[i:j]}
				m.Entropy = entropy.SpatialEntropy(m, turns, shifted)
				found = append(found, m)
			}
		}
	}
	return found
}

// towards returns the direction in which a key lies among the neighbours of the
// one before, -1 if it is none of them, and whether it is typed with shift.
func towards(neighbours []string, key byte) (direction int, shifted bool) {
	for d, keys := range neighbours {
		if at := strings.IndexByte(keys, key); at >= 0 {
			return d, at == 1
		}
	}
	return -1, false
}

// repeats finds a character that comes again and again, in either case.
func repeats(password string) (found []match.Match) {
	characters := strings.Split(password, "")
	at := 0
	for i, j := 0, 0; i < len(characters); i = j {
		for j = i + 1; j < len(characters) && strings.EqualFold(characters[j], characters[j-1]); j++ {
		}
		token := strings.Join(characters[i:j], "")
		if j-i >= shortestRun {
			m := match.Match{Pattern: "repeat", I: at, J: at + len(token) - 1, Token: token}
			m.Entropy = entropy.RepeatEntropy(m)
			found = append(found, m)
		}
		at += len(token)
	}
	return found
}

// sequences finds letters and digits that follow each other, up or down.
func sequences(password string) (found []match.Match) {
	for i, j := 0, 0; i < len(password); i = j {
		j = i + 1
		if j == len(password) {
			break
		}
		way := int(password[j]) - int(password[i])
		if way != 1 && way != -1 {
			continue
		}
		size := alphabet(password[i])
		for j < len(password) && alphabet(password[j]) == size && sameCase(password[i], password[j]) && int(password[j])-int(password[j-1]) == way {
			j++
		}
		if size > 0 && j-i >= shortestRun {
			m := match.Match{Pattern: "sequence", I: i, J: j - 1, Token: password[i:j]}
			m.Entropy = entropy.SequenceEntropy(m, size, way == 1)
			found = append(found, m)
		}
	}
	return found
}

// alphabet returns how many characters are of a kind, 0 for those of none.
func alphabet(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return 10
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return 26
	}
	return 0
}

func sameCase(a, b byte) bool { return a&0x20 == b&0x20 }

// dateForms match a day, a month and a year, in that order or the other one,
// with something between them; and digits that may be all three.
var dateForms = sync.OnceValues(func() (apart []*regexp.Regexp, together *regexp.Regexp) {
	const number, between, year = `\d{1,2}`, `[\s\-/\\_.]`, `((?:19|20)\d{2}|\d{2})`
	return []*regexp.Regexp{
		regexp.MustCompile(`(` + number + `)` + between + `(` + number + `)` + between + year),
		regexp.MustCompile(year + between + `(` + number + `)` + between + `(` + number + `)`),
	}, regexp.MustCompile(`\d{4,8}`)
})

// dates finds them.
func dates(password string) (found []match.Match) {
	add := func(i, j int, separator, day, month, year string) {
		if !isDate(day, month, year) {
			return
		}
		n, _ := strconv.ParseInt(year, 10, 64)
		found = append(found, match.Match{
			Pattern: "date", I: i, J: j - 1, Token: password[i:j],
			Entropy: entropy.DateEntropy(match.DateMatch{Year: n, Separator: separator}),
		})
	}
	apart, together := dateForms()
	for form, r := range apart {
		for _, at := range r.FindAllStringSubmatchIndex(password, -1) {
			parts := []string{password[at[2]:at[3]], password[at[4]:at[5]], password[at[6]:at[7]]}
			year := parts[2-2*form]
			add(at[0], at[1], "-", parts[1], parts[2*form], year)
		}
	}
	for _, at := range together.FindAllStringIndex(password, -1) {
		switch digits := password[at[0]:at[1]]; len(digits) {
		case 6:
			add(at[0], at[1], "", digits[2:4], digits[4:], digits[:2])
			add(at[0], at[1], "", digits[:2], digits[2:4], digits[4:])
		case 8:
			add(at[0], at[1], "", digits[4:6], digits[6:], digits[:4])
			add(at[0], at[1], "", digits[:2], digits[2:4], digits[4:])
		}
	}
	return found
}

// isDate accepts day and month in either order, and years that people put into
// passwords: of this century and the last, or two digits.
func isDate(first, second, year string) bool {
	a, _ := strconv.Atoi(first)
	b, _ := strconv.Atoi(second)
	y, _ := strconv.Atoi(year)
	return max(a, b) <= 31 && min(a, b) <= 12 && (y < 100 || 1900 <= y && y < 2050)
}
