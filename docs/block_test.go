package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// block is one fenced block of a document.
type block struct {
	line     int    // of its opening fence
	language string // the fence's first word
	words    string // the rest of the fence: instructions to these tests
	text     string
}

// step is one command of a console block, and what it prints.
type step struct {
	line    int
	command string
	shown   string
}

// readBlocks returns the fenced blocks of a document.
func readBlocks(path string) ([]block, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []block
	var open *block
	for i, line := range strings.SplitAfter(string(data), "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "```")
		switch {
		case !isFence && open != nil:
			open.text += line
		case isFence && open == nil:
			language, words, _ := strings.Cut(fence, " ")
			open = &block{line: i + 1, language: language, words: words}
		case isFence && fence == "":
			all = append(all, *open)
			open = nil
		case isFence:
			return nil, fmt.Errorf("%s:%d: a block opens within another", path, i+1)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: the block has no end", path, open.line)
	}
	return all, nil
}

// steps reads a console block: "$ " begins a command, "> " directly after it
// continues it, and everything else is what it prints.
func (b block) steps() ([]step, error) {
	var all []step
	for i, line := range strings.SplitAfter(b.text, "\n") {
		if line == "" {
			continue
		}
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, step{line: b.line + 1 + i, command: command})
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("line %d: a console block begins with a command, after \"$ \"", b.line+1+i)
		}
		last := &all[len(all)-1]
		if more, ok := strings.CutPrefix(line, "> "); ok && last.shown == "" {
			last.command += more
			continue
		}
		last.shown += line
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("line %d: a console block without a command", b.line)
	}
	return all, nil
}

func TestSteps(t *testing.T) {
	got, err := block{line: 7, text: "$ cat <<END\n> one\n> END\none\n$ true\n$ echo '$ '\n$ \n"}.steps()
	if err != nil {
		t.Fatal(err)
	}
	want := []step{{8, "cat <<END\none\nEND\n", "one\n"}, {12, "true\n", ""}, {13, "echo '$ '\n", ""}, {14, "\n", ""}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, text := range []string{"", "no command\n"} {
		if _, err := (block{text: text}).steps(); err == nil {
			t.Errorf("%q is taken for a transcript", text)
		}
	}
}
