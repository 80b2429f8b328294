package main

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mitchellh/cli"
	"github.com/spf13/pflag"

	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/host/home"
)

// The manual is generated, from what the commands say of themselves: a page in
// docs/man for each of them, and docs/commands.md for all. What else it says it
// takes from where it stands already, the guide's table of exit codes and the
// table of settings. The generator is a test because package main cannot be
// imported, and the executable has no use for it.

// page is a command's part of the manual.
type page struct {
	name        string // "users create"; "" is concourse itself
	synopsis    string
	usage       []string // a line for each form
	about       []paragraph
	subcommands []string // their names
	options     []option
	variables   []row
	files       []row
	exits       []row    // only where all are listed
	related     []string // names of other pages
}

// row is an entry of a list: what it is about, and what there is to say.
type row struct{ term, text string }

// paragraph is prose, to be filled, or lines to be shown as they are.
type paragraph struct {
	text    string
	literal bool
}

// option is one that a command has, and what its help says of it.
type option struct {
	*pflag.Flag
	value string // what stands for its value; may be empty
	usage string // with that in backquotes
}

func newOption(f *pflag.Flag) option {
	value, _ := pflag.UnquoteUsage(f)
	lone := pflag.NewFlagSet("", pflag.ContinueOnError)
	lone.AddFlag(f)
	const byDefault = " (default "
	usage := f.Usage
	if _, said, ok := strings.Cut(lone.FlagUsages(), byDefault); ok && !strings.Contains(usage, byDefault) {
		usage += byDefault + strings.TrimSpace(said)
	}
	return option{f, value, usage}
}

// manual returns all pages by name.
func manual(t *testing.T) map[string]*page {
	t.Helper()
	all := commands()
	pages := map[string]*page{"": {synopsis: "administer the users of a Concourse server"}}
	for name, factory := range all {
		c, err := factory()
		if err != nil {
			t.Fatal(err)
		}
		p := &page{name: name, synopsis: c.Synopsis()}
		switch c := c.(type) {
		case *command:
			p.usage, p.about = readHelp(c.verb.Help())
			c.options.VisitAll(func(f *pflag.Flag) { p.options = append(p.options, newOption(f)) })
			p.variables = variablesOf(c.options)
			if c.options.Lookup("set") != nil {
				p.files = filesOf(t)
			}
		case *group:
			p.usage, p.about = readHelp(c.help)
		}
		pages[name] = p
	}
	root := pages[""]
	top := maps.Clone(all)
	maps.DeleteFunc(top, func(name string, _ cli.CommandFactory) bool { return strings.Contains(name, " ") })
	root.usage, root.about = readHelp(rootHelp(top))
	root.files, root.exits = filesOf(t), exitsOf(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		group, _ := parentOf(name)
		pages[group].subcommands = append(pages[group].subcommands, name)
		for _, v := range pages[name].variables {
			// The settings' are on the pages of the commands that take settings.
			if pages[name].files == nil && !slices.Contains(root.variables, v) {
				root.variables = append(root.variables, v)
			}
		}
	}
	for _, p := range pages {
		p.relate(pages)
	}
	return pages
}

// relate finds the pages that go with this one: those above and below it, and
// those of the commands that it speaks of.
func (p *page) relate(pages map[string]*page) {
	group, _ := parentOf(p.name)
	related := append([]string{"", group}, p.subcommands...)
	for _, text := range p.about {
		for _, m := range mentioned.FindAllStringSubmatch(text.text, -1) {
			if pages[m[1]] != nil {
				related = append(related, m[1])
			}
		}
	}
	slices.Sort(related)
	p.related = slices.DeleteFunc(slices.Compact(related), func(name string) bool { return name == p.name })
}

// title is how the command is typed.
func (p *page) title() string { return strings.TrimSpace("concourse " + p.name) }

var mentioned = regexp.MustCompile(`'concourse ([a-z -]+)'`)

// readHelp takes a help text apart: the forms of its usage, and what it says
// below them. Lists of subcommands are left out.
func readHelp(text string) (usage []string, about []paragraph) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		switch first, _, _ := strings.Cut(part, "\n"); {
		case strings.HasPrefix(first, "Usage: "):
			for line := range strings.Lines(strings.TrimPrefix(part, "Usage: ")) {
				usage = append(usage, strings.TrimSpace(line))
			}
		case first == "Available commands are:" || first == "Subcommands:":
		default:
			about = append(about, readParagraphs(part)...)
		}
	}
	return usage, about
}

// readParagraphs divides lines into prose and, further in, lines as they are.
func readParagraphs(part string) (all []paragraph) {
	for line := range strings.Lines(part) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "  ")
		literal, last := strings.HasPrefix(line, " "), len(all)-1
		switch {
		case last < 0 || all[last].literal != literal:
			all = append(all, paragraph{line, literal})
		case literal:
			all[last].text += "\n" + line
		default:
			all[last].text += " " + line
		}
	}
	for i, p := range all {
		if p.literal {
			indent := p.text[:len(p.text)-len(strings.TrimLeft(p.text, " "))]
			all[i].text = strings.ReplaceAll(strings.TrimPrefix(p.text, indent), "\n"+indent, "\n")
		}
	}
	return all
}

var variable = regexp.MustCompile(`\((CONCOURSE_[A-Z_]+)\)`)

// variablesOf returns the variables that stand for options: those that the
// options name, and the settings'.
func variablesOf(o *options) (rows []row) {
	const say = "In place of --"
	o.VisitAll(func(f *pflag.Flag) {
		if m := variable.FindStringSubmatch(f.Usage); m != nil {
			rows = append(rows, row{m[1], say + f.Name})
		}
	})
	if o.Lookup("wide") != nil {
		rows = append(rows, row{"NO_COLOR", "No colour, if it is not empty"})
	}
	for _, s := range config.Settings() {
		if s.Env() != "" && o.Lookup("set") != nil {
			rows = append(rows, row{s.Env(), say + s.Flag()})
		}
	}
	return rows
}

func filesOf(t *testing.T) []row {
	t.Helper()
	h, err := home.At("/HOME")
	if err != nil {
		t.Fatal(err)
	}
	rows := []row{
		{"/HOME/concourse.yaml", "The host's settings; may be missing"},
		{h.Socket(), "Where the host answers the commands"},
		{h.InitialPassword(), "The first administrator's password, until that is first changed"},
		{h.AuditLog(), "Who did what, and who logged in"},
	}
	for i := range rows {
		rows[i].term = strings.TrimPrefix(rows[i].term, "/")
	}
	return rows
}

var exitRow = regexp.MustCompile("(?m)^\\| (\\d+) \\| (?:`([a-z_]+)`)? *\\| (.*) \\|$")

// exitsOf returns the guide's table of exit codes, which has them all.
func exitsOf(t *testing.T) (rows []row) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, m := range exitRow.FindAllStringSubmatch(string(guide), -1) {
		documented[m[2]] = cmp.Or(documented[m[2]], m[1])
		rows = append(rows, row{m[1], strings.ReplaceAll(m[3], "`", "")})
	}
	for kind, code := range exitCodes {
		if documented[kind.String()] != strconv.Itoa(code) {
			t.Errorf("the guide's table has the exit code %q for %s, not %d", documented[kind.String()], kind, code)
		}
	}
	if len(rows) != len(exitCodes)+3 { // success, a mismatch, and a reader that left
		t.Errorf("the guide's table has %d exit codes", len(rows))
	}
	return rows
}

func TestReadHelp(t *testing.T) {
	usage, about := readHelp(`Usage: concourse x [options] <file>
       concourse x -

  It is about x,
  and y:

    a: 1
      b: 2
  and no more.

Subcommands:
    z    Not this`)
	if want := []string{"concourse x [options] <file>", "concourse x -"}; !slices.Equal(usage, want) {
		t.Errorf("the usage is %q", usage)
	}
	if want := []paragraph{{"It is about x, and y:", false}, {"a: 1\n  b: 2", true}, {"and no more.", false}}; !slices.Equal(about, want) {
		t.Errorf("it is about %+v", about)
	}
}

// TestManual holds docs/commands.md and docs/man to the commands. With UPDATE=1
// in the environment it writes them instead.
func TestManual(t *testing.T) {
	pages := manual(t)
	want := map[string]string{"../../docs/commands.md": reference(t, pages)}
	for _, p := range pages {
		want[filepath.Join("../../docs/man", manName(p.name)+".1")] = roff(p)
	}
	have, err := filepath.Glob("../../docs/man/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range have {
		if _, ok := want[path]; ok {
			continue
		}
		if os.Getenv("UPDATE") == "" {
			t.Errorf("%s is no command's; make generate removes it", path)
		} else if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
	for path, text := range want {
		shown, err := os.ReadFile(path)
		switch {
		case err == nil && string(shown) == text:
		case os.Getenv("UPDATE") == "":
			t.Errorf("%s is not what the commands say (%v); make generate writes it", path, err)
		default:
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Error(err)
			}
		}
	}
}

// piece is a part of a sentence, in a font of roff's or, if it is nothing
// special, in none.
type piece struct{ text, font string }

const (
	typedFont = `\fB`
	valueFont = `\fI`
)

var special = regexp.MustCompile("(?:^|[\\s(])('[^'\\s][^']*')|(`[^`]+`)|(--[a-z][a-z-]*|\\$?[A-Z]+(?:_[A-Z]*)+\\*?)")

// pieces finds in a sentence what is typed as it stands: what is in single
// quotes, options, variables and the like; and what stands for a value, which
// is in backquotes. It takes the quotes away.
func pieces(text string) (all []piece) {
	rest := 0
	for _, m := range special.FindAllStringSubmatchIndex(text, -1) {
		quoted, value, typed := m[2:4], m[4:6], m[6:8]
		for _, found := range []struct {
			at     []int
			quotes int
			font   string
		}{{quoted, 1, typedFont}, {value, 1, valueFont}, {typed, 0, typedFont}} {
			if begin, end := found.at[0], found.at[1]; begin >= 0 {
				all = append(all, piece{text: text[rest:begin]}, piece{text[begin+found.quotes : end-found.quotes], found.font})
				rest = end
			}
		}
	}
	return append(all, piece{text: text[rest:]})
}
