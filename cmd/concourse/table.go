package main

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// column is one of a table. What a table may lose where it is wider than the
// terminal goes in this order: names beyond half of it; text beyond keep, in the
// widest columns first; whole columns worth less than those with a keep; text
// beyond least, in the same way; the other columns; names beyond least. Of columns,
// those of the highest rank go first.
type column struct {
	name   string
	sparse bool // stands there only if a row has something in it
	cut    bool // may be shortened, to its name's width
	keep   int  // the width that tells most of a text that may be cut; 0: its least
	rank   int  // 0: always stays
	last   bool // may be shortened when nothing else is left to lose
	// half is for the first column: a text of more than half of the terminal
	// takes nothing from the other rows. It is shortened if it is to be last, and
	// otherwise has a line of its own above the rest of its row.
	half bool
}

// shortest is the width that no text is cut below.
const shortest = 8

func (c column) least() int { return max(displaywidth.String(c.name), shortest) }

const (
	gap      = 2 // blanks between columns
	ellipsis = "…"
)

// extent is how wide a column's cells have been so far. It only grows, so that
// rows which come later stand in line with those before.
type extent struct {
	widest int // 0: the column is not there
	usual  int // of the cells within half of the terminal
}

func (e *extent) add(width, half int) {
	e.widest = max(e.widest, width)
	if width <= half {
		e.usual = max(e.usual, width)
	}
}

// layout is how columns share the width that there is.
type layout struct {
	columns []column
	widths  []int // by column; 0: not shown
	reduced bool  // something is cut or not shown
}

// fit lays out the columns that are there.
func (d display) fit(columns []column, extents []extent) layout {
	natural := make([]int, len(columns))
	for i, e := range extents {
		natural[i] = e.widest
	}
	l := layout{columns: columns, widths: slices.Clone(natural)}
	if d.width == 0 || l.total() <= d.width {
		return l
	}
	for i, e := range extents {
		if columns[i].half {
			natural[i] = max(e.usual, min(e.widest, d.width/4))
		}
	}
	copy(l.widths, natural)
	for !l.shrink(d.width, floor(columns, natural)) {
		copy(l.widths, natural)
		next := expendable(columns, natural)
		if next < 0 {
			l.shrink(d.width, column.lowest)
			break
		}
		natural[next], l.widths[next] = 0, 0
	}
	for i, c := range columns {
		l.reduced = l.reduced || l.widths[i] < extents[i].widest && !c.ownLine()
	}
	return l
}

func (c column) ownLine() bool { return c.half && !c.last }

// uncut is the floor of a column that may not be cut.
const uncut = math.MaxInt

// floor returns what columns may be cut to, for as long as these are there.
func floor(columns []column, widths []int) func(column) int {
	kept := 0
	for _, c := range columns {
		if c.keep > 0 {
			kept = max(kept, c.rank)
		}
	}
	next := expendable(columns, widths)
	spare := next >= 0 && columns[next].rank > kept
	return func(c column) int {
		switch {
		case !c.cut:
			return uncut
		case spare:
			return max(c.keep, c.least())
		}
		return c.least()
	}
}

// lowest is what a column may be cut to when no other can go.
func (c column) lowest() int {
	if c.cut || c.last {
		return c.least()
	}
	return uncut
}

// expendable returns the column of the highest rank that is left, -1: none.
func expendable(columns []column, widths []int) int {
	highest := -1
	for i, c := range columns {
		if widths[i] > 0 && c.rank > 0 && (highest < 0 || c.rank > columns[highest].rank) {
			highest = i
		}
	}
	return highest
}

func (l *layout) total() int {
	sum := -gap
	for _, w := range l.widths {
		if w > 0 {
			sum += w + gap
		}
	}
	return sum
}

// shrink cuts the widest column again and again, until the whole fits, which it
// reports, or none may be cut further.
func (l *layout) shrink(width int, floor func(column) int) bool {
	for {
		over := l.total() - width
		if over <= 0 {
			return true
		}
		widest, next := -1, 0
		for i, c := range l.columns {
			switch {
			case l.widths[i] <= floor(c):
			case widest < 0 || l.widths[i] > l.widths[widest]:
				if widest >= 0 {
					next = l.widths[widest]
				}
				widest = i
			default:
				next = max(next, l.widths[i])
			}
		}
		if widest < 0 {
			return false
		}
		to := max(floor(l.columns[widest]), min(next, l.widths[widest]-1))
		l.widths[widest] = max(to, l.widths[widest]-over)
	}
}

// line returns a row's cells side by side, or below one that has a line of its
// own. The last is not padded.
func (l layout) line(cells []string, paint func(i int, text string) string) string {
	var b strings.Builder
	b.Grow(l.total() + gap)
	blanks, below := 0, false // before the next cell, on a line of its own
	for i, w := range l.widths {
		if w == 0 {
			continue
		}
		text := cmp.Or(cells[i], "-")
		used := displaywidth.String(text)
		own := used > w && l.columns[i].ownLine()
		if used > w && !own {
			text = displaywidth.TruncateString(text, w, ellipsis)
			used = displaywidth.String(text)
		}
		if below {
			b.WriteByte('\n')
		}
		for range blanks {
			b.WriteByte(' ')
		}
		b.WriteString(paint(i, text))
		if below, blanks = own, max(w-used, 0)+gap; own {
			blanks = w + gap
		}
	}
	return b.String()
}

// shortened cuts a text that is printable to what there is.
func (d display) shortened(text string) string {
	if d.width == 0 {
		return text
	}
	return shorten(text, d.width)
}

// shorten cuts a text that is printable to a width.
func shorten(text string, width int) string {
	if displaywidth.String(text) <= width {
		return text
	}
	return displaywidth.TruncateString(text, width, ellipsis)
}
