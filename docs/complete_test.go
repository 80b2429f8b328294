package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGuidesAreComplete holds the guides to the program: one of them has an
// example of every command. The reference is generated, and has every option.
func TestGuidesAreComplete(t *testing.T) {
	var examples strings.Builder
	for _, path := range []string{"backends.md", "guide.md", "operating.md", "settings.md"} {
		blocks, err := readBlocks(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			if b.language == "console" {
				examples.WriteString(b.text)
			}
		}
	}
	all := commandsOf(t)
	for _, group := range []string{"users", "plugin"} {
		all = slices.DeleteFunc(all, func(c string) bool { return c == group })
		for _, c := range commandsOf(t, group) {
			all = append(all, group+" "+c)
		}
	}
	if len(all) < 18 {
		t.Fatalf("the program's help lists only %q", all)
	}
	_, reference, _ := strings.Cut(read(t, "commands.md"), "\n# ")
	for _, c := range all {
		if !regexp.MustCompile(`concourse ` + c + `\b[^-]`).MatchString(examples.String()) {
			t.Errorf("no guide has an example of 'concourse %s'", c)
		}
		_, section, _ := strings.Cut(reference, "# concourse "+c+"\n")
		section, _, _ = strings.Cut(section, "\n#")
		for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z0-9-]+)`).FindAllStringSubmatch(help(t, strings.Fields(c)...), -1) {
			if !regexp.MustCompile("`" + m[1] + "[ `]").MatchString(section) {
				t.Errorf("the reference does not have %s of 'concourse %s'", m[1], c)
			}
		}
	}
}

func commandsOf(t *testing.T, group ...string) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^    ([a-z-]+)  +\S`).FindAllStringSubmatch(help(t, group...), -1) {
		names = append(names, m[1])
	}
	return names
}

func help(t *testing.T, command ...string) string {
	t.Helper()
	c := exec.Command(filepath.Join(built, "concourse"), append(command, "--help")...)
	c.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestMakeTargets holds what the documents say of make to the Makefile, and
// the README to naming how to run the tests.
func TestMakeTargets(t *testing.T) {
	makefile, readme := read(t, "../Makefile"), read(t, "../README.md")
	if !strings.Contains(readme, "`make test`") {
		t.Error("the README does not name `make test`")
	}
	for _, m := range regexp.MustCompile("`make ([a-z-]+)`").FindAllStringSubmatch(readme+read(t, "guide.md")+read(t, "operating.md"), -1) {
		if !strings.Contains(makefile, "\n"+m[1]+":") {
			t.Errorf("there is no target %s", m[1])
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// TestLinks follows every link within the project.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("adr/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "clients.md", "commands.md", "design.md", "faults.md", "guide.md", "operating.md", "performance.md", "settings.md", "../README.md") {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			to, anchor := page, m[2]
			if strings.Contains(m[1], "://") {
				continue
			}
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(page), m[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchorsOf(read(t, to)), anchor) {
				t.Errorf("%s links to #%s, which is not in %s", page, anchor, to)
			}
		}
	}
}

// anchorsOf returns what a page's headings are linked by.
func anchorsOf(page string) (anchors []string) {
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		anchors = append(anchors, strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return anchors
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
