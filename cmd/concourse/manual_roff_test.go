package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// manName is the name of a command's man page.
func manName(name string) string {
	return strings.ReplaceAll(strings.TrimSpace("concourse "+name), " ", "-")
}

// roff renders a page with the man macros. It has no date and no version: it
// changes when the command does.
func roff(p *page) string {
	var b strings.Builder
	b.WriteString(".\\\" Generated from the command's own help; make generate writes it.\n")
	fmt.Fprintf(&b, ".TH %s 1 \"\" Concourse \"Concourse Manual\"\n", roffText(strings.ToUpper(manName(p.name))))
	b.WriteString(".nh\n.ad l\n") // names are neither divided nor spread
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roffText(manName(p.name)), roffText(uncapitalized(p.synopsis)))
	b.WriteString(".SH SYNOPSIS\n")
	for i, form := range p.usage {
		if i > 0 {
			b.WriteString(".br\n")
		}
		b.WriteString(roffUsage(p, form) + "\n")
	}
	b.WriteString(".SH DESCRIPTION\n")
	for i, text := range p.about {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if text.literal {
			b.WriteString(".nf\n.RS 4\n" + roffLines(text.text) + ".RE\n.fi\n")
		} else {
			b.WriteString(roffProse(text.text))
		}
	}
	if len(p.subcommands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, name := range p.subcommands {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR(1)\n%s", roffText(manName(name)), roffProse(synopsisOf(name)))
		}
	}
	if len(p.options) > 0 {
		b.WriteString(".SH OPTIONS\n")
		for _, f := range p.options {
			fmt.Fprintf(&b, ".TP\n%s\n%s", roffOption(f), roffProse(capitalized(f.usage)))
		}
	}
	roffRows(&b, "EXIT STATUS", p.exits, "B")
	if len(p.exits) == 0 && len(p.options) > 0 {
		b.WriteString(".SH EXIT STATUS\n0 on success. The others, the same for every command, are in \\fBconcourse\\fR(1).\n")
	}
	roffRows(&b, "ENVIRONMENT", p.variables, "B")
	roffRows(&b, "FILES", p.files, "I")
	b.WriteString(".SH SEE ALSO\n")
	for i, name := range p.related {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "\\fB%s\\fR(1)", roffText(manName(name)))
	}
	b.WriteString("\n")
	return b.String()
}

func roffRows(b *strings.Builder, heading string, rows []row, font string) {
	if len(rows) > 0 {
		b.WriteString(".SH " + heading + "\n")
	}
	for _, r := range rows {
		fmt.Fprintf(b, ".TP\n\\f%s%s\\fR\n%s", font, roffText(r.term), roffProse(r.text))
	}
}

// roffUsage has the command in bold, and what stands for something in italics.
func roffUsage(p *page, form string) string {
	rest, ok := strings.CutPrefix(form, p.title())
	if !ok {
		return roffText(form)
	}
	return `\fB` + roffText(p.title()) + `\fR` + placeholder.ReplaceAllString(roffText(rest), `$1\fI$2\fR$3`)
}

var placeholder = regexp.MustCompile(`(<|\[)([a-z]+)(>|\])`)

func roffOption(f option) string {
	option := `\fB` + roffText("--"+f.Name) + `\fR`
	if f.Shorthand != "" {
		option = `\fB` + roffText("-"+f.Shorthand) + `\fR, ` + option
	}
	if f.value != "" {
		option += ` \fI` + roffText(f.value) + `\fR`
	}
	return option
}

// roffProse returns a paragraph in short lines.
func roffProse(text string) string {
	var line strings.Builder
	for _, p := range pieces(text) {
		line.WriteString(p.font + roffText(p.text))
		if p.font != "" {
			line.WriteString(`\fR`)
		}
	}
	var b strings.Builder
	length := 0
	for _, word := range strings.Fields(line.String()) {
		switch {
		case length == 0:
		case length+len(word) > 78:
			b.WriteByte('\n')
			length = 0
		default:
			b.WriteByte(' ')
		}
		if length == 0 && strings.HasPrefix(word, ".") {
			word = `\&` + word
		}
		b.WriteString(word)
		length += len(word) + 1
	}
	return b.String() + "\n"
}

// roffLines returns lines that stand as they are.
func roffLines(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		line = roffText(line)
		if strings.HasPrefix(line, ".") {
			line = `\&` + line
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// roffText returns text in which nothing has a meaning to roff but a full stop
// at the beginning of a line. A hyphen is one that may be copied and typed.
func roffText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch r {
		case '\\':
			b.WriteString(`\e`)
		case '-':
			b.WriteString(`\-`)
		case '\'':
			b.WriteString(`\(aq`)
		case '"':
			b.WriteString(`\(dq`)
		case '`':
			b.WriteString(`\(ga`)
		case '^':
			b.WriteString(`\(ha`)
		case '~':
			b.WriteString(`\(ti`)
		default:
			if r > unicode.MaxASCII {
				fmt.Fprintf(&b, `\[u%04X]`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// uncapitalized begins as a line of whatis(1) does.
func uncapitalized(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func synopsisOf(name string) string {
	c, err := commands()[name]()
	if err != nil {
		return ""
	}
	return c.Synopsis()
}

// rendered returns a page as man(1) shows it, without its bold and underlined letters,
// in one line.
func rendered(t *testing.T, source string) string {
	t.Helper()
	return strings.Join(strings.Fields(overstrike.ReplaceAllString(mandoc(t, source, "-T", "utf8"), "")), " ")
}

var overstrike = regexp.MustCompile(`.\x08`)

func mandoc(t *testing.T, source string, options ...string) string {
	t.Helper()
	c := exec.Command("mandoc", options...)
	c.Stdin = strings.NewReader(source)
	out, err := c.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out)
}

// TestManPages reads every page with mandoc: nothing is wrong with it, and all
// that the command says of itself is there to read.
func TestManPages(t *testing.T) {
	for name, p := range manual(t) {
		t.Run(manName(name), func(t *testing.T) {
			source := roff(p)
			for line := range strings.Lines(mandoc(t, source, "-T", "lint", "-W", "warning")) {
				if !strings.Contains(line, "missing date") { // as is meant
					t.Error(line)
				}
			}
			shown := rendered(t, source)
			expectWords := func(text string) {
				t.Helper()
				if text = strings.Join(strings.Fields(text), " "); !strings.Contains(shown, text) {
					t.Errorf("it does not show %q:\n%s", text, shown)
				}
			}
			expect := func(text string) {
				t.Helper()
				var plain strings.Builder
				for _, p := range pieces(text) {
					plain.WriteString(p.text)
				}
				expectWords(plain.String())
			}
			for _, text := range p.about {
				if text.literal { // quotation marks are the shell's there
					expectWords(text.text)
				} else {
					expect(text.text)
				}
			}
			for _, f := range p.options {
				expect("--" + f.Name)
				expect(capitalized(f.usage))
			}
			if len(p.usage) == 0 || len(p.about) == 0 || len(p.related) == 0 {
				t.Errorf("a part is missing: %q", shown)
			}
		})
	}
}

// TestRoffText shows that what means something to roff is shown as it stands.
func TestRoffText(t *testing.T) {
	for _, text := range []string{
		`.TH is no heading`, `'concourse' and 'x`, `a \fB backslash \n and \\`, `--set-role=x -e`, `"quoted" %d`,
		"`back` ^ ~ |", `it is … fünf €`, `.`, `'`, `...`, `. a`, `\&.`, `a .b`,
	} {
		p := &page{name: "x", synopsis: text, usage: []string{"concourse x " + text}, about: []paragraph{{text, true}}, related: []string{""}}
		p.exits = []row{{text, text}}
		shown := rendered(t, roff(p))
		if want := strings.Count(shown, strings.Join(strings.Fields(text), " ")); want < 4 {
			t.Errorf("%q is shown %d times in %s", text, want, shown)
		}
		for _, prose := range []string{text, strings.Repeat("a long word ", 6) + text + strings.Repeat(" and "+text, 20)} {
			var plain strings.Builder
			for _, piece := range pieces(prose) {
				plain.WriteString(piece.text)
			}
			want := strings.Join(strings.Fields(plain.String()), " ")
			if shown := rendered(t, ".TH X 1 \"\" X X\n.SH X\n"+roffProse(prose)); !strings.Contains(shown, want) {
				t.Errorf("%q is shown as %q", want, shown)
			}
		}
	}
}
