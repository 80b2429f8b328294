package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/term"
)

// The rules of showing, all of which are kept in this file:
//
// On a terminal, times are for people, tables fit the width, and colour helps
// the eye. Anywhere else, and with --wide, nothing is cut and times are RFC 3339
// in UTC. NO_COLOR and a terminal that cannot show it turn colour off.

// display is what is known of the place that results are printed to.
type display struct {
	terminal bool
	human    bool // a person reads it, and did not ask for everything
	width    int  // in columns; 0: nothing is cut
	colour   bool
}

// displayOf is for what is no table.
func displayOf(w io.Writer) display {
	f, ok := w.(*os.File)
	if !ok {
		return display{}
	}
	return newDisplay(f, true)
}

func newDisplay(out *os.File, wide bool) display {
	if !term.IsTerminal(int(out.Fd())) {
		return display{}
	}
	d := display{terminal: true, human: !wide, colour: coloured()}
	if !wide {
		d.width, _, _ = term.GetSize(int(out.Fd()))
	}
	return d
}

// coloured reports whether the environment lets a terminal have colour.
func coloured() bool { return os.Getenv("NO_COLOR") == "" && capable() }

// capable reports whether the terminal is more than a roll of paper.
func capable() bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb"
}

// style is what sets text off, as terminals number it.
type style int

const (
	bold    style = 1
	dim     style = 2
	inverse style = 7
	red     style = 31
	yellow  style = 33
)

// paint returns text that is printable already in a style, where there is any.
func (d display) paint(text string, s style) string {
	if !d.colour {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[m", s, text)
}

// when is a time as it stands in a table; never is empty.
func (d display) when(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case d.human:
		return humanTime(t, time.Now())
	}
	return t.UTC().Format(time.RFC3339)
}

// humanTime is coarse, and short, in the reader's own time zone: the age within
// the last hour, the time of today, and otherwise date and time.
func humanTime(t, now time.Time) string {
	t, now = t.In(time.Local), now.In(time.Local)
	age := now.Sub(t)
	switch {
	case age > -time.Minute && age < time.Minute: // clocks differ
		return "just now"
	case age > 0 && age < time.Hour:
		return fmt.Sprintf("%d min ago", age/time.Minute)
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("today 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// humanAge is to the second within two minutes, and coarser from there on.
func humanAge(age time.Duration) string {
	minutes, hours := age/time.Minute, age/time.Hour
	switch {
	case age < 2*time.Minute:
		return fmt.Sprintf("%d s", max(age, 0)/time.Second) // clocks differ
	case age < 2*time.Hour:
		return fmt.Sprintf("%d min", minutes)
	case age < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	}
	return fmt.Sprintf("%d days", hours/24)
}

// wrapped breaks texts between words, where they are wider than what there is.
// What stands behind a label goes on below itself.
func (d display) wrapped(texts []string) (lines []string) {
	for _, text := range texts {
		text = visible(text)
		if d.width == 0 || displaywidth.String(text) <= d.width {
			lines = append(lines, text)
			continue
		}
		begin := labelled.FindString(text)
		if len(begin) > d.width/2 {
			begin = ""
		}
		line := begin
		for _, word := range strings.Fields(text[len(begin):]) {
			switch {
			case line == begin:
				line += word
			case displaywidth.String(line)+1+displaywidth.String(word) <= d.width:
				line += " " + word
			default:
				lines = append(lines, line)
				begin = strings.Repeat(" ", len(begin))
				line = begin + word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// labelled is a label with the blanks before its value.
var labelled = regexp.MustCompile(`^[A-Z][A-Za-z0-9 -]*: +`)

// count is a number with what it counts.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// bytesText is a size for people.
func bytesText(n int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	size, unit := float64(n)/(1<<10), 0
	for size >= 1<<10 && unit < len(units)-1 {
		size /= 1 << 10
		unit++
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

// thousands writes a number with a comma after every three digits.
func thousands(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
