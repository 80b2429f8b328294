// Command bench makes the tables and plots of docs/performance.md, and the forms
// of them that machines read, from what the benchmarks print:
//
//	bench [-docs DIR] [FILE...]
//
// It reads the files, or standard input for "-", in the form that "go test
// -bench" prints, and says which goals are met. With -docs it also keeps what it
// read in DIR/performance.txt, which benchstat reads too, and makes the rest from
// it: the parts of performance.md between their markers, performance.json, and
// the plots in performance/. Without files it reads DIR/performance.txt.
//
// Every figure, ratio and verdict of the documents is computed here; the same
// input gives the same output. A benchmark that the documents need and the input
// lacks is an error that names it. Peers, and the stores side by side, are the
// exception: where they were not measured, the tables say so.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	docs := flags.String("docs", "", "the directory of performance.md")
	if err := flags.Parse(args); err != nil {
		return err
	}
	kept := filepath.Join(*docs, "performance.txt")
	files := flags.Args()
	switch {
	case len(files) > 0:
	case *docs == "":
		return errors.New("name the files to read, or the directory of performance.md: -docs DIR")
	default:
		files = []string{kept}
	}
	m := &measured{}
	for _, name := range files {
		if err := m.readFile(name, in); err != nil {
			return err
		}
	}
	r, err := reportOf(m)
	if err != nil {
		return err
	}
	made, err := r.draw(m)
	if err != nil {
		return err
	}
	if *docs != "" {
		page := filepath.Join(*docs, "performance.md")
		words, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		if made["performance.md"], err = fill(words, r.parts()); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
		made["performance.txt"] = m.text()
		if err := write(*docs, made); err != nil {
			return err
		}
	}
	for _, g := range r.Goals {
		fmt.Fprintf(out, "%-8s %s: %s (goal: %s)\n", g.verdict(), g.What, g.Measured, g.Goal)
	}
	return nil
}

// draw makes the plots and the form for machines, by their names in the
// documents' directory.
func (r *report) draw(m *measured) (made map[string][]byte, err error) {
	made = map[string][]byte{}
	if made["performance.json"], err = r.json(); err != nil {
		return nil, err
	}
	for _, p := range plots {
		if made[filepath.Join("performance", p.file)], err = p.draw(m); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func write(dir string, made map[string][]byte) error {
	if err := os.MkdirAll(filepath.Join(dir, "performance"), 0o777); err != nil {
		return err
	}
	for name, content := range made {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			return err
		}
	}
	return nil
}
