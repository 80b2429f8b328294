package main_test

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// emulator is as much of a terminal as a full-screen program uses: it turns what
// was written to the terminal into what somebody sees. Colours it drops.
type emulator struct {
	cells       [][]rune // the rest of a wide rune is 0
	x, y        int
	top, bottom int  // of the scrolling region
	alternate   bool // the alternate screen shows
	behind      *emulator
	hidden      bool // the cursor is
	last        rune
}

func newEmulator(columns, rows int) *emulator {
	e := &emulator{bottom: rows - 1}
	for range rows {
		e.cells = append(e.cells, blank(columns))
	}
	return e
}

// resize keeps what fits, as most terminals do.
func (e *emulator) resize(columns, rows int) {
	old := e.cells
	*e = emulator{
		x: min(e.x, columns), y: min(e.y, rows-1), bottom: rows - 1,
		alternate: e.alternate, behind: e.behind, hidden: e.hidden,
	}
	for y := range rows {
		e.cells = append(e.cells, blank(columns))
		if y < len(old) {
			copy(e.cells[y], old[y])
		}
	}
}

func blank(columns int) []rune { return []rune(strings.Repeat(" ", columns)) }

// lines is what shows, without trailing blanks.
func (e *emulator) lines() []string {
	var all []string
	for _, cells := range e.cells {
		all = append(all, strings.TrimRight(strings.ReplaceAll(string(cells), "\x00", ""), " "))
	}
	return all
}

func (e *emulator) write(text string) {
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' && r <= '~' })
			if end < 0 {
				return // the rest is still to come
			}
			e.control(text[2:2+end], text[2+end])
			text = text[3+end:]
		case strings.HasPrefix(text, "\x1b]"), strings.HasPrefix(text, "\x1bP"), strings.HasPrefix(text, "\x1b_"):
			end := strings.IndexAny(text[2:], "\x07\x1b")
			if end < 0 {
				return
			}
			text = strings.TrimPrefix(text[3+end:], "\\")
		case strings.HasPrefix(text, "\x1bM"):
			e.up()
			text = text[2:]
		case text[0] == '\x1b':
			text = text[min(2, len(text)):]
		default:
			if !utf8.FullRuneInString(text) {
				return
			}
			r, n := utf8.DecodeRuneInString(text)
			e.put(r)
			text = text[n:]
		}
	}
}

func (e *emulator) put(r rune) {
	switch r {
	case '\r':
		e.x = 0
	case '\n':
		e.down()
	case '\b':
		e.x = max(e.x-1, 0)
	case '\t':
		e.x = min((e.x/8+1)*8, len(e.cells[0])-1)
	default:
		if r < ' ' {
			return
		}
		width := displaywidth.Rune(r)
		if e.x+width > len(e.cells[0]) {
			e.x = 0
			e.down()
		}
		for i := range width {
			e.cells[e.y][e.x+i] = 0
		}
		if width > 0 {
			e.cells[e.y][e.x] = r
		}
		e.x += width
		e.last = r
	}
}

func (e *emulator) down() {
	if e.y == e.bottom {
		e.scroll(e.top, 1)
		return
	}
	e.y = min(e.y+1, len(e.cells)-1)
}

func (e *emulator) up() {
	if e.y == e.top {
		e.scroll(e.top, -1)
		return
	}
	e.y = max(e.y-1, 0)
}

// scroll moves what is between a line and the region's end up, or down if n is
// negative.
func (e *emulator) scroll(from, n int) {
	for ; n > 0; n-- {
		copy(e.cells[from:e.bottom+1], e.cells[from+1:e.bottom+1])
		e.cells[e.bottom] = blank(len(e.cells[0]))
	}
	for ; n < 0; n++ {
		copy(e.cells[from+1:e.bottom+1], e.cells[from:e.bottom])
		e.cells[from] = blank(len(e.cells[0]))
	}
}

func (e *emulator) control(parameters string, final byte) {
	if strings.ContainsAny(parameters, "<=>$ ") {
		return
	}
	if private, ok := strings.CutPrefix(parameters, "?"); ok {
		e.mode(private, final == 'h')
		return
	}
	n := func(i, otherwise int) int {
		fields := strings.Split(parameters, ";")
		if i < len(fields) {
			if v, err := strconv.Atoi(fields[i]); err == nil && v > 0 {
				return v
			}
		}
		return otherwise
	}
	columns, rows := len(e.cells[0]), len(e.cells)
	switch final {
	case 'H', 'f':
		e.y, e.x = n(0, 1)-1, n(1, 1)-1
	case 'A':
		e.y -= n(0, 1)
	case 'B', 'e':
		e.y += n(0, 1)
	case 'C', 'a':
		e.x += n(0, 1)
	case 'D':
		e.x -= n(0, 1)
	case 'G', '`':
		e.x = n(0, 1) - 1
	case 'd':
		e.y = n(0, 1) - 1
	case 'J':
		from, to := e.y*columns+e.x, rows*columns
		if n(0, 0) == 1 {
			from, to = 0, from+1
		} else if n(0, 0) > 1 {
			from = 0
		}
		for i := from; i < to; i++ {
			e.cells[i/columns][i%columns] = ' '
		}
	case 'K':
		from, to := min(e.x, columns), columns
		if n(0, 0) == 1 {
			from, to = 0, min(e.x+1, columns)
		} else if n(0, 0) > 1 {
			from = 0
		}
		copy(e.cells[e.y][from:to], blank(to-from))
	case 'X':
		copy(e.cells[e.y][e.x:], blank(min(n(0, 1), columns-e.x)))
	case '@':
		rest := append(blank(n(0, 1)), e.cells[e.y][e.x:]...)
		copy(e.cells[e.y][e.x:], rest)
	case 'P':
		rest := append(append([]rune{}, e.cells[e.y][min(e.x+n(0, 1), columns):]...), blank(n(0, 1))...)
		copy(e.cells[e.y][e.x:], rest)
	case 'L':
		e.scroll(e.y, -n(0, 1))
	case 'M':
		e.scroll(e.y, n(0, 1))
	case 'S':
		e.scroll(e.top, n(0, 1))
	case 'T':
		e.scroll(e.top, -n(0, 1))
	case 'b':
		for range n(0, 1) {
			e.put(e.last)
		}
	case 'r':
		e.top, e.bottom = n(0, 1)-1, n(1, rows)-1
		e.x, e.y = 0, 0
	}
	e.x, e.y = min(max(e.x, 0), columns), min(max(e.y, 0), rows-1)
}

func (e *emulator) mode(numbers string, on bool) {
	for number := range strings.SplitSeq(numbers, ";") {
		switch number {
		case "25":
			e.hidden = !on
		case "1049", "1047", "47":
			columns, rows := len(e.cells[0]), len(e.cells)
			switch {
			case on && !e.alternate:
				before, hidden := *e, e.hidden
				*e = *newEmulator(columns, rows)
				e.alternate, e.hidden, e.behind = true, hidden, &before
			case !on && e.alternate:
				before, hidden := e.behind, e.hidden
				before.resize(columns, rows)
				*e = *before
				e.hidden = hidden
			}
		}
	}
}
