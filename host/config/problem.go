package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Warning is something that Load let pass.
type Warning struct {
	Origin  string // a path, or a variable
	Message string
}

// String returns both, in one line.
func (w Warning) String() string { return w.Origin + ": " + w.Message }

// Problem is one thing that Load refused.
type Problem struct {
	Origin  string // a path and line, a variable or a flag
	Message string
}

// mostProblems bounds what one refusal lists.
const mostProblems = 20

// Problems is every reason why settings were refused: those of the file in the
// order of its lines, then flags and variables.
type Problems struct {
	all  []Problem
	more int
}

// All returns the problems, at most 20.
func (p *Problems) All() []Problem {
	return slices.SortedStableFunc(slices.Values(p.all), func(a, b Problem) int { return cmp.Compare(a.line(), b.line()) })
}

// line returns the line that the origin names; what is of no line comes last.
func (p Problem) line() int {
	if n, err := strconv.Atoi(p.Origin[strings.LastIndexByte(p.Origin, ':')+1:]); err == nil {
		return n
	}
	return math.MaxInt
}

// Error returns one line for each problem.
func (p *Problems) Error() string {
	var lines []string
	for _, one := range p.All() {
		lines = append(lines, one.Origin+": "+one.Message)
	}
	if p.more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", p.more))
	}
	return strings.Join(lines, "\n")
}

// full reports whether further problems are only counted.
func (p *Problems) full() bool { return len(p.all) == mostProblems }

func (p *Problems) add(origin, format string, args ...any) {
	if p.full() {
		p.more++
		return
	}
	p.all = append(p.all, Problem{Origin: origin, Message: fmt.Sprintf(format, args...)})
}

// nearest returns the known name that a misspelt one most likely means: the one
// that lacks only its section, else the one fewest letters away, else "".
func nearest(name string, known []string) string {
	best, least := "", max(2, len(name)/6)+1
	for _, k := range known {
		if strings.HasSuffix(k, "."+name) {
			return k
		}
		if d := distance(name, k); d < least || d == least && best != "" && k < best {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
