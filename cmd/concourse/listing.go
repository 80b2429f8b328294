package main

import (
	"bufio"
	"fmt"
	"iter"
	"slices"

	"github.com/clipperhouse/displaywidth"
)

// listing prints rows as they come, and holds no more than a batch of them, so
// that 100,000 cost no more memory than ten. That is why it is not a table
// library, which would align, and therefore hold, them all: columns are aligned
// with those of the rows so far. A batch, of at most 1,000 rows, that has other
// columns than the one before, such as the first value of a sparse one, begins
// with headings again.
type listing[R any] struct {
	title   string // above the table; may be empty
	columns []column
	cells   func(display, R) []string
	notable func(R) string // names the column whose cell stands out, if any; nil: none ever
	element func(R) any    // as JSON
}

func (l listing[R]) print(c *console, batches iter.Seq2[[]R, error]) error {
	w := bufio.NewWriter(c.out)
	show, end := l.table(w, c.display)
	if c.json {
		show, end = l.array(w, "[\n", ",\n", "\n]\n")
	}
	for batch, err := range batches {
		if err != nil {
			w.Flush()
			return err
		}
		if len(batch) == 0 {
			continue
		}
		if err := show(batch); err != nil {
			return notPrinted(err)
		}
	}
	if err := end(); err != nil {
		return notPrinted(err)
	}
	return notPrinted(w.Flush())
}

func (l listing[R]) table(w *bufio.Writer, d display) (show func([]R) error, end func() error) {
	begun, reduced := false, false
	extents := l.extents()
	var shown []bool // in the batch before
	show = func(batch []R) error {
		rows := l.rows(d, batch, extents)
		if !begun && l.title != "" {
			fmt.Fprintln(w, d.shortened(l.title))
		}
		begun = true
		layout := d.fit(l.columns, extents)
		reduced = reduced || layout.reduced
		if now := layout.shown(); !slices.Equal(now, shown) {
			shown = now
			fmt.Fprintln(w, l.heading(layout, d))
		}
		for i, cells := range rows {
			fmt.Fprintln(w, l.line(layout, d, batch[i], cells))
		}
		return w.Flush()
	}
	end = func() error {
		switch {
		case !begun && l.title != "":
			fmt.Fprintln(w, d.shortened(l.title))
			fallthrough
		case !begun:
			fmt.Fprintln(w, "none")
		case reduced:
			fmt.Fprintln(w, d.paint(d.shortened("cut to fit; --wide shows all"), dim))
		}
		return w.Flush()
	}
	return show, end
}

// extents are those of no rows: the headings of the columns that are always
// there.
func (l listing[R]) extents() []extent {
	all := make([]extent, len(l.columns))
	for i, c := range l.columns {
		if width := displaywidth.String(c.name); !c.sparse {
			all[i].add(width, width)
		}
	}
	return all
}

// rows returns the printable cells of a batch, and adds to the extents.
func (l listing[R]) rows(d display, batch []R, extents []extent) [][]string {
	names := make([]int, len(l.columns))
	for i, c := range l.columns {
		names[i] = displaywidth.String(c.name)
	}
	rows := make([][]string, len(batch))
	for i, r := range batch {
		rows[i] = l.cells(d, r)
		for j, cell := range rows[i] {
			rows[i][j] = visible(cell)
			if cell != "" {
				extents[j].add(max(displaywidth.String(rows[i][j]), names[j]), d.width/2)
			}
		}
	}
	return rows
}

func (l listing[R]) heading(layout layout, d display) string {
	names := make([]string, len(l.columns))
	for i, c := range l.columns {
		names[i] = c.name
	}
	return layout.line(names, func(_ int, text string) string { return d.paint(text, bold) })
}

func (l listing[R]) line(layout layout, d display, r R, cells []string) string {
	notable := ""
	if l.notable != nil {
		notable = l.notable(r)
	}
	return layout.line(cells, func(i int, text string) string {
		if l.columns[i].name == notable {
			return d.paint(text, yellow)
		}
		return text
	})
}

func (l layout) shown() []bool {
	shown := make([]bool, len(l.widths))
	for i, w := range l.widths {
		shown[i] = w > 0
	}
	return shown
}

// array prints the elements between the three; a listing that breaks off is not
// valid JSON.
func (l listing[R]) array(w *bufio.Writer, begin, between, after string) (show func([]R) error, end func() error) {
	separator, last := begin, begin[:1]+after[len(after)-2:]
	encode := newJSONEncoder()
	show = func(batch []R) error {
		for _, r := range batch {
			line, err := encode(l.element(r))
			if err != nil {
				return err
			}
			w.WriteString(separator)
			if _, err := w.WriteString(line); err != nil {
				return err
			}
			separator, last = between, after
		}
		return nil
	}
	end = func() error {
		_, err := w.WriteString(last)
		return err
	}
	return show, end
}

// counting counts rows as they pass.
func counting[R any](batches iter.Seq2[[]R, error], n *uint64) iter.Seq2[[]R, error] {
	return func(yield func([]R, error) bool) {
		for batch, err := range batches {
			*n += uint64(len(batch))
			if !yield(batch, err) {
				return
			}
		}
	}
}

// firstOf yields the first n rows, and drops the others.
func firstOf[R any](batches iter.Seq2[[]R, error], n int) iter.Seq2[[]R, error] {
	return func(yield func([]R, error) bool) {
		for batch, err := range batches {
			first := batch[:min(n, len(batch))]
			n -= len(first)
			if !yield(first, err) {
				return
			}
		}
	}
}

// showing tells a person that there are more rows than were printed.
func (c *console) showing(shown, total uint64) error {
	if !c.display.terminal || c.json || shown >= total {
		return nil
	}
	_, err := fmt.Fprintln(c.out, c.display.paint(c.display.shortened(fmt.Sprintf("showing %s of %s", thousands(shown), thousands(total))), dim))
	return notPrinted(err)
}
