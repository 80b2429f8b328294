package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// reader turns one file into values, and notes what is wrong with it.
type reader struct {
	path     string
	problems *Problems
	lines    map[string]int // where each key, in its own spelling, was given
	values   map[string]given
}

func (r *reader) refuse(line int, format string, args ...any) {
	r.problems.add(fmt.Sprintf("%s:%d", r.path, max(line, 1)), format, args...)
}

func (r *reader) read(data []byte) {
	if len(data) > maxFile {
		r.problems.add(r.path, "is larger than 1 MiB")
		return
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		r.problems.add(r.path, "cannot be read")
		return
	}
	var doc, next yaml.Node
	switch err := loader.Load(&doc); {
	case err == io.EOF:
		return
	case err != nil:
		r.refuseSyntax(err)
		return
	}
	switch err := loader.Load(&next); {
	case err == nil:
		r.refuse(next.Line, "a second document begins here; keep one")
	case err != io.EOF:
		r.refuseSyntax(err)
	}
	root := doc.Content[0]
	switch {
	case root.ShortTag() == "!!null" && root.Style&yaml.TaggedStyle == 0 && root.Anchor == "":
	case root.Kind != yaml.MappingNode:
		r.refuse(root.Line, "must be a mapping of settings, such as \"lease: 10s\"")
	default:
		r.mapping("", root)
	}
}

// refuseSyntax says where and why a file is not YAML. Of the parser's messages
// it passes on only those that quote nothing from the file: what stands there
// may be a password (rule 9).
func (r *reader) refuseSyntax(err error) {
	why := "a value that starts with &, * or ! must stand in quotes"
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		r.problems.add(r.path, "is not YAML")
		return
	}
	switch e.Stage {
	case yaml.ReaderStage, yaml.ScannerStage, yaml.ParserStage:
		if !strings.Contains(e.Message, "YAML tag") {
			why = e.Message
		}
	}
	r.refuse(e.Mark.Line, "is not YAML: %s", why)
}

func (r *reader) mapping(section string, m *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" || decorated(key) {
			r.refuse(key.Line, "a key must be a setting's name")
			continue
		}
		name := key.Value
		if section != "" {
			name = section + "." + name
		}
		r.pair(name, key.Line, value)
	}
}

func (r *reader) pair(name string, line int, value *yaml.Node) {
	s, canonical, known := find(name)
	switch {
	case sections[name] && (!known || value.Kind == yaml.MappingNode || value.ShortTag() == "!!null"):
		r.section(name, line, value)
	case !known:
		r.refuseUnknown(name, line)
	case name == pluginSettings:
		r.section(name, line, value)
	case r.repeated(name, line):
	case value.Kind != yaml.ScalarNode || decorated(value):
		r.refuseValue(name, line, value)
	case value.ShortTag() == "!!null":
		if s.Default != "" {
			r.refuse(line, "%s has no value; write one, or remove the line for the default, %s", name, s.Default)
		} else {
			r.refuse(line, "%s has no value; write one, or remove the line", name)
		}
	default:
		r.accept(given{
			name: canonical, text: s.text(name, value.Value),
			origin: fmt.Sprintf("%s:%d", filepath.Base(r.path), line), place: fmt.Sprintf("%s:%d", r.path, line),
		})
	}
}

// section reads what stands under a name. An empty one is fine: its settings
// may all be commented out.
func (r *reader) section(name string, line int, value *yaml.Node) {
	switch {
	case r.repeated(name, line):
	case decorated(value):
		r.refuseValue(name, line, value)
	case value.Kind == yaml.MappingNode:
		r.mapping(name, value)
	case value.ShortTag() != "!!null":
		r.refuse(line, "%s must be a mapping of settings", name)
	}
}

func (r *reader) repeated(name string, line int) bool {
	first, ok := r.lines[name]
	if ok {
		r.refuse(line, "%s is given twice, first on line %d", name, first)
	} else {
		r.lines[name] = line
	}
	return ok
}

// accept takes a value. Two spellings of one setting may only agree.
func (r *reader) accept(g given) {
	if other, ok := r.values[g.name]; !ok {
		r.values[g.name] = g
	} else if other.text != g.text {
		r.problems.add(g.place, "%s is given twice, with another value at %s", g.name, other.origin)
	}
}

func (r *reader) refuseUnknown(name string, line int) {
	if r.problems.full() {
		r.refuse(line, "unknown setting")
		return
	}
	var known []string
	for _, s := range table {
		known = append(known, s.Name)
		if s.flat != "" {
			known = append(known, s.flat)
		}
	}
	known = append(known, slices.Sorted(maps.Keys(sections))...)
	if n := nearest(name, known); n != "" {
		r.refuse(line, "unknown setting %s; did you mean %s?", quote(name), n)
		return
	}
	r.refuse(line, "unknown setting %s; \"concourse config\" lists them all", quote(name))
}

func (r *reader) refuseValue(name string, line int, value *yaml.Node) {
	if decorated(value) {
		r.refuse(line, "%s: a value that starts with &, * or ! must stand in quotes", name)
		return
	}
	r.refuse(line, "%s must be a single value", name)
}

// decorated reports whether a node is more than what it says: an alias, an
// anchor or a tag. Settings need none, and a password that begins like one
// would silently become another.
func decorated(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0
}
