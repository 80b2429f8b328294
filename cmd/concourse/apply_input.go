package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// maxInput bounds one file of accounts, in bytes: a parsed one can take many
// times as much memory.
const maxInput = 16 << 20

// readAccounts reads every file, to the end of the last one, before it says
// what is wrong with any. It gives up with ctx.
func readAccounts(ctx context.Context, paths []string) ([]*task, error) {
	r := &accountReader{places: map[string]string{}}
	if _, err := await(ctx, func() ([]byte, error) {
		for _, path := range paths {
			r.readPath(path)
		}
		return nil, r.mistakes.err()
	}); err != nil {
		return nil, err
	}
	return r.accounts, nil
}

func (r *accountReader) readPath(path string) {
	before := len(r.accounts) + len(r.mistakes.lines)
	info, err := os.Stat(path)
	switch {
	case path == "-":
		path = "standard input"
		r.readFrom(path, ".", io.NopCloser(os.Stdin), nil)
	case err == nil && info.IsDir():
		r.readDirectory(path)
	default:
		r.readFile(path)
	}
	if len(r.accounts)+len(r.mistakes.lines) == before && r.mistakes.more == 0 {
		r.mistakes.add(path, "it names no account")
	}
}

// readDirectory reads the files of accounts in a directory, by name, and not
// those in directories below.
func (r *accountReader) readDirectory(path string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		r.mistakes.add(path, "%v", cause(err))
		return
	}
	found := false
	for _, e := range entries { // by name
		name := filepath.Join(path, e.Name())
		if strings.HasPrefix(e.Name(), ".") || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) {
			continue
		}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			continue
		}
		found = true
		r.readFile(name)
	}
	if !found {
		r.mistakes.add(path, "the directory has no *.yaml, *.yml or *.json in it")
	}
}

func (r *accountReader) readFile(path string) {
	f, err := os.Open(path)
	r.readFrom(path, filepath.Dir(path), f, err)
}

func (r *accountReader) readFrom(name, directory string, f io.ReadCloser, err error) {
	if err != nil {
		r.mistakes.add(name, "%v", cause(err))
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	switch {
	case err != nil:
		r.mistakes.add(name, "%v", cause(err))
	case len(data) > maxInput:
		r.mistakes.add(name, "it is larger than %d MiB", maxInput>>20)
	default:
		r.name, r.directory = name, directory
		r.read(data)
	}
}

// mostMistakes bounds what one refusal of files lists.
const mostMistakes = 100

// mistakes is everything that is wrong with the files, in the order in which
// they are read. None has a value that may be a secret (rule 9).
type mistakes struct {
	lines []string
	more  int
}

func (m *mistakes) add(place, format string, args ...any) {
	if len(m.lines) == mostMistakes {
		m.more++
		return
	}
	m.lines = append(m.lines, place+": "+fmt.Sprintf(format, args...))
}

// err refuses all of them at once, nil if there is none.
func (m *mistakes) err() error {
	n := len(m.lines) + m.more
	if n == 0 {
		return nil
	}
	return account.Invalid("file", "%s found, so nothing was changed\n%s", count(n, "mistake"), m.text())
}

// text has one of them in a line.
func (m *mistakes) text() string {
	lines := m.lines
	if m.more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", m.more))
	}
	return strings.Join(lines, "\n")
}
