package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// column is one of a table. What a table may lose where it is wider than the
// terminal goes in this order: names beyond half of it; text beyond cut, in the
// widest columns first; whole columns, those of the highest rank first; text
// beyond least.
type column struct {
	name   string
	sparse bool // stands there only if a row has something in it
	cut    bool // may be shortened, to its name's width
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
	for !l.shrink(d.width, func(c column) bool { return c.cut }) {
		dropped := dropOne(columns, natural)
		copy(l.widths, natural)
		if !dropped {
			l.shrink(d.width, func(c column) bool { return c.cut || c.last })
			break
		}
	}
	for i, c := range columns {
		l.reduced = l.reduced || l.widths[i] < extents[i].widest && !c.ownLine()
	}
	return l
}

func (c column) ownLine() bool { return c.half && !c.last }

// dropOne makes the column of the highest rank that is left nothing.
func dropOne(columns []column, widths []int) bool {
	highest := -1
	for i, c := range columns {
		if widths[i] > 0 && c.rank > 0 && (highest < 0 || c.rank > columns[highest].rank) {
			highest = i
		}
	}
	if highest < 0 {
		return false
	}
	widths[highest] = 0
	return true
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
func (l *layout) shrink(width int, may func(column) bool) bool {
	for {
		over := l.total() - width
		if over <= 0 {
			return true
		}
		widest, next := -1, 0
		for i, c := range l.columns {
			switch {
			case !may(c) || l.widths[i] <= c.least():
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
		floor := max(l.columns[widest].least(), min(next, l.widths[widest]-1))
		l.widths[widest] = max(floor, l.widths[widest]-over)
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
