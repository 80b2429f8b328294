package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/cinchapi/concourse-users/shared/account"
)

// accountReader reads accounts as files write them, and notes what is wrong
// with each.
type accountReader struct {
	name, directory string // of the file that is being read

	mistakes mistakes
	places   map[string]string // where each account stands, by username
	accounts []*task
}

func (r *accountReader) refuse(line int, format string, args ...any) {
	r.mistakes.add(r.at(line), format, args...)
}

func (r *accountReader) at(line int) string { return fmt.Sprintf("%s:%d", r.name, max(line, 1)) }

// read reads one file: documents that each are an account or a list of them.
func (r *accountReader) read(data []byte) {
	if i, why := unreadable(data); why != "" {
		r.refuse(1+bytes.Count(data[:i], []byte("\n")), "%s", why)
		return
	}
	loader, err := yaml.NewLoader(bytes.NewReader(joinSurrogates(data)))
	for err == nil {
		var doc yaml.Node
		if err = loader.Load(&doc); err == nil {
			r.document(doc.Content[0])
		}
	}
	if err != io.EOF {
		r.refuseSyntax(err)
	}
}

// unreadable finds the first byte that no text has.
func unreadable(data []byte) (at int, why string) {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			return i, "it is not UTF-8 here"
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f:
			return i, "it has a control character here"
		}
		i += n
	}
	return 0, ""
}

// refuseSyntax says where and why a file is not YAML. Of the parser's messages
// it passes on only those that quote nothing from the file (rule 9).
func (r *accountReader) refuseSyntax(err error) {
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		r.mistakes.add(r.name, "it is not YAML")
		return
	}
	why := noDecoration
	switch e.Stage {
	case yaml.ReaderStage, yaml.ScannerStage, yaml.ParserStage:
		if !strings.Contains(e.Message, "YAML tag") {
			why = e.Message
		}
	}
	r.refuse(e.Mark.Line, "it is not YAML: %s", why)
}

func (r *accountReader) document(n *yaml.Node) {
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && !decorated(n): // nothing but comments
	case n.Kind == yaml.SequenceNode && !decorated(n):
		for _, item := range n.Content {
			r.account(item)
		}
	default:
		r.account(n)
	}
}

// noDecoration says what a file of accounts does without: what an account may
// do is to be read in its own place.
const noDecoration = "anchors, aliases and tags are not read here; a text that begins with &, * or ! must stand in quotes"

func decorated(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0
}

func (r *accountReader) account(n *yaml.Node) {
	switch {
	case decorated(n):
		r.refuse(n.Line, noDecoration)
		return
	case n.Kind != yaml.MappingNode:
		r.refuse(n.Line, "an account must be a mapping, such as \"username: jeff\"; a file has accounts, or a list of them")
		return
	}
	t := &task{place: r.at(n.Line)}
	f := fields{r: r, line: n.Line, of: &t.Desired}
	r.pairs(n, fieldName, f.read)
	f.end()
	switch first, twice := r.places[t.Username]; {
	case t.Username == "":
		return
	case twice:
		r.refuse(n.Line, "'%s' is named twice, first at %s", account.Printable(t.Username), first)
	default:
		r.places[t.Username] = t.place
		r.accounts = append(r.accounts, t)
	}
}

// pairs gives each key of a mapping to read, once. name says what it may be
// called in a refusal.
func (r *accountReader) pairs(m *yaml.Node, name func(key string) string, read func(key string, line int, value *yaml.Node)) {
	lines := map[string]int{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		first, twice := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" || decorated(key):
			r.refuse(key.Line, "what stands before a colon must be a plain name")
		case twice:
			r.refuse(key.Line, "%s is given twice, first on line %d", name(key.Value), first)
		case decorated(value):
			r.refuse(value.Line, "%s: %s", name(key.Value), noDecoration)
		default:
			lines[key.Value] = key.Line
			read(key.Value, key.Line, value)
		}
	}
}

// joinSurrogates lets JSON pass for YAML in the one point in which it does not:
// programs that write nothing but ASCII write a character beyond U+FFFF as two
// escapes, which a YAML parser takes for two characters that cannot be. What is
// not JSON stays as it is, and so does the number of lines.
func joinSurrogates(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u`)) || !json.Valid(data) {
		return data
	}
	joined := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		if data[i] != '\\' { // of JSON, a backslash is followed by another byte
			joined = append(joined, data[i])
			i++
			continue
		}
		if r := utf16.DecodeRune(escaped(data[i:]), escaped(data[min(i+6, len(data)):])); r != utf8.RuneError {
			joined = utf8.AppendRune(joined, r)
			i += 12
			continue
		}
		joined = append(joined, data[i], data[i+1])
		i += 2
	}
	return joined
}

// escaped returns the code unit whose escape data begins with, or none.
func escaped(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return utf8.RuneError
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(unit)
}
