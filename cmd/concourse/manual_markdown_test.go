package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reference renders docs/commands.md.
func reference(t *testing.T, pages map[string]*page) string {
	t.Helper()
	examples := examplesIn(t, map[string]string{"guide.md": "user guide", "operating.md": "operator's guide"})
	var b strings.Builder
	b.WriteString("<!-- Generated from the commands' own help; make generate writes it. -->\n\n# Commands\n\n")
	b.WriteString("What `--help` says, of every command. The [user guide](guide.md) and the [operator's guide](operating.md) show them at work; [exit codes](guide.md#exit-codes) and [JSON](guide.md#json) are the same for all.\n\n")
	root := pages[""]
	for _, name := range root.subcommands {
		fmt.Fprintf(&b, "- %s: %s\n", markdownLink(name), markdown(pages[name].synopsis))
		for _, name := range pages[name].subcommands {
			fmt.Fprintf(&b, "  - %s: %s\n", markdownLink(name), markdown(pages[name].synopsis))
		}
	}
	for _, text := range root.about {
		b.WriteString("\n" + markdownParagraph(text))
	}
	for _, name := range root.subcommands {
		writeReference(&b, pages[name], "##", examples)
		for _, name := range pages[name].subcommands {
			writeReference(&b, pages[name], "###", examples)
		}
	}
	return b.String()
}

func writeReference(b *strings.Builder, p *page, level string, examples map[string]string) {
	fmt.Fprintf(b, "\n%s %s\n\n", level, p.title())
	for _, form := range p.usage {
		fmt.Fprintf(b, "    %s\n", form)
	}
	for _, text := range p.about {
		b.WriteString("\n" + markdownParagraph(text))
	}
	if len(p.options) > 0 {
		b.WriteString("\n| Option | |\n| --- | --- |\n")
	}
	for _, f := range p.options {
		option := "`" + strings.TrimSpace("--"+f.Name+" "+f.value) + "`"
		if f.Shorthand != "" {
			option = "`-" + f.Shorthand + "`, " + option
		}
		fmt.Fprintf(b, "| %s | %s |\n", option, markdown(f.usage))
	}
	var see []string
	_, last := parentOf(p.name)
	if at := cmp.Or(examples[p.name], examples[last]); at != "" {
		see = append(see, at)
	}
	for _, name := range p.related {
		if group, _ := parentOf(p.name); name != "" && name != group && !slices.Contains(p.subcommands, name) {
			see = append(see, markdownLink(name))
		}
	}
	if len(see) > 0 {
		fmt.Fprintf(b, "\nSee %s.\n", strings.Join(see, ", "))
	}
}

func markdownLink(name string) string {
	title := "concourse " + name
	return fmt.Sprintf("[%s](#%s)", title, strings.ReplaceAll(title, " ", "-"))
}

func markdownParagraph(p paragraph) string {
	if !p.literal {
		return markdown(p.text) + "\n"
	}
	var b strings.Builder
	for line := range strings.SplitSeq(p.text, "\n") {
		b.WriteString("    " + line + "\n")
	}
	return b.String()
}

// markdown returns text in which nothing means anything to Markdown, and code
// where something is to be typed.
func markdown(text string) string {
	var b strings.Builder
	for _, p := range pieces(text) {
		switch p.font {
		case typedFont:
			b.WriteString("`" + p.text + "`")
		case valueFont:
			b.WriteString("*" + p.text + "*")
		default:
			b.WriteString(markdownSpecial.ReplaceAllString(p.text, `\$0`))
		}
	}
	return b.String()
}

var markdownSpecial = regexp.MustCompile("[\\\\`*_|<>\\[\\]]|^[#+-]|^\\d+\\.")

var (
	headings = regexp.MustCompile(`(?m)^##+ (.*)$`)
	notSlug  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// examplesIn returns links to the documents' sections, by the commands and
// groups that their headings name. A section of its own goes first.
func examplesIn(t *testing.T, documents map[string]string) map[string]string {
	t.Helper()
	links, own := map[string]string{}, map[string]bool{}
	for _, document := range slices.Sorted(maps.Keys(documents)) {
		text, err := os.ReadFile("../../docs/" + document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range headings.FindAllStringSubmatch(string(text), -1) {
			heading := strings.ToLower(m[1])
			anchor := strings.ReplaceAll(notSlug.ReplaceAllString(heading, ""), " ", "-")
			names := strings.Split(strings.ReplaceAll(strings.TrimPrefix(heading, "the "), " and ", ", "), ", ")
			for _, name := range names {
				if alone := len(names) == 1; links[name] == "" || alone && !own[name] {
					links[name], own[name] = fmt.Sprintf("[%s: %s](%s#%s)", documents[document], m[1], document, anchor), alone
				}
			}
		}
	}
	return links
}

// TestMarkdown shows that what means something to Markdown is shown as it
// stands.
func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"plain text, the host's":                     "plain text, the host's",
		"see 'concourse users list' (--format json)": "see `concourse users list` (`--format` json)",
		"a CONCOURSE_* variable":                     "a `CONCOURSE_*` variable",
		"a <b> *c* _d_ [e](f) | g \\h i`":            "a \\<b\\> \\*c\\* \\_d\\_ \\[e\\](f) \\| g \\\\h i\\`",
		"the host's, and others' too":                "the host's, and others' too",
		"the `FILE` of $HOME_DIR":                    "the *FILE* of `$HOME_DIR`",
		"# no heading":                               "\\# no heading",
	} {
		if got := markdown(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
