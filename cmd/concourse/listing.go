package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// listing prints rows as they come, and holds no more than a batch of them, so
// that 100,000 cost no more memory than ten. That is why it is not a table
// library, which would align, and therefore hold, them all: columns are aligned
// within a batch of at most 1,000 rows. A batch that has the first value of a
// sparse column begins with headings again.
type listing[R any] struct {
	title   string // above the table; may be empty
	columns []string
	sparse  []string // those of columns that stand there only if a row has something in them
	cells   func(R) []string
	element func(R) any // as JSON
}

func (l listing[R]) print(c *console, batches iter.Seq2[[]R, error]) error {
	w := bufio.NewWriter(c.out)
	show, end := l.table(w)
	if c.json {
		show, end = l.array(w)
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

func (l listing[R]) table(w *bufio.Writer) (show func([]R) error, end func() error) {
	begun := false
	filled := make([]bool, len(l.columns))
	for i, column := range l.columns {
		filled[i] = !slices.Contains(l.sparse, column)
	}
	show = func(batch []R) error {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		rows := make([][]string, len(batch))
		heads := !begun
		for i, r := range batch {
			rows[i] = l.cells(r)
			for j, cell := range rows[i] {
				if cell != "" && !filled[j] {
					filled[j], heads = true, true
				}
			}
		}
		if !begun && l.title != "" {
			fmt.Fprintln(w, l.title)
		}
		begun = true
		if heads {
			writeRow(t, l.columns, filled)
		}
		for _, row := range rows {
			writeRow(t, row, filled)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		return w.Flush()
	}
	end = func() error {
		if begun {
			return nil
		}
		if l.title != "" {
			fmt.Fprintln(w, l.title)
		}
		_, err := fmt.Fprintln(w, "none")
		return err
	}
	return show, end
}

// array prints an element a line; a listing that breaks off is not valid JSON.
func (l listing[R]) array(w *bufio.Writer) (show func([]R) error, end func() error) {
	separator, last := "[\n", "[]\n"
	show = func(batch []R) error {
		for _, r := range batch {
			line, err := encodeJSON(l.element(r))
			if err != nil {
				return err
			}
			if _, err := w.WriteString(separator + line); err != nil {
				return err
			}
			separator, last = ",\n", "\n]\n"
		}
		return nil
	}
	end = func() error {
		_, err := w.WriteString(last)
		return err
	}
	return show, end
}

func writeRow(w io.Writer, cells []string, shown []bool) {
	var row []string
	for i, cell := range cells {
		if shown[i] {
			row = append(row, cmp.Or(visible(cell), "-"))
		}
	}
	fmt.Fprintln(w, strings.Join(row, "\t"))
}

// when is a time as it stands in a table.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}
