package docs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shownBy is how the threat table names a test: its package, its name, and a
// subtest of it.
var shownBy = regexp.MustCompile("^`([a-z/]+) ((?:Test|Fuzz)[A-Za-z0-9_]+)(?:/([A-Za-z0-9_]+))?`$")

// TestSecurity holds every row of the threat table to a test that there is, or to
// the plain word "nothing", and the list of inputs to all fuzz targets.
func TestSecurity(t *testing.T) {
	text, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	fuzzed := map[string]bool{}
	rows, listing := 0, false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			listing = line == "## What comes from outside"
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| who |") || strings.HasPrefix(line, "| what |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		want := 4
		if listing {
			want = 3
		}
		if len(cells) != want || slices.Contains(cells, "") {
			t.Errorf("a row has not %d cells: %s", want, line)
			continue
		}
		rows++
		tests := cells[want-1]
		if tests == "nothing" && !listing {
			continue
		}
		for _, named := range strings.Split(tests, ", ") {
			m := shownBy.FindStringSubmatch(named)
			if m == nil {
				t.Errorf("%q names no test, and does not say \"nothing\": %s", named, line)
				continue
			}
			if listing {
				fuzzed[m[1]+" "+m[2]] = true
			}
			if why := lacks(m[1], m[2], m[3]); why != "" {
				t.Errorf("%s: %s", named, why)
			}
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows were read", rows)
	}
	for _, target := range fuzzTargets(t) {
		if !fuzzed[target] {
			t.Errorf("the fuzz target %s is not in the list of what comes from outside", target)
		}
	}
}

// lacks says what of the test is not in the package, empty if all is. A subtest
// is looked for by its name, as the tests or a table of theirs write it, or as a
// script.
func lacks(pkg, name, sub string) string {
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pkg), "*_test.go"))
	if err != nil || len(files) == 0 {
		return "there are no tests in " + pkg
	}
	found, foundSub := false, sub == ""
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err.Error()
		}
		found = found || bytes.Contains(content, []byte("\nfunc "+name+"("))
		foundSub = foundSub || bytes.Contains(content, []byte(`"`+sub+`"`))
	}
	if !foundSub {
		_, err := os.Stat(filepath.Join("..", filepath.FromSlash(pkg), "testdata", "script", sub+".txtar"))
		foundSub = err == nil
	}
	switch {
	case !found:
		return "there is no such test"
	case !foundSub:
		return "there is no such subtest"
	}
	return ""
}

func fuzzTargets(t *testing.T) (all []string) {
	t.Helper()
	out, err := exec.Command("git", "-C", "..", "grep", "--untracked", "-o", "^func Fuzz[A-Za-z0-9_]*", "--", "*_test.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		file, name, _ := strings.Cut(strings.TrimSpace(line), ":func ")
		all = append(all, filepath.ToSlash(filepath.Dir(file))+" "+name)
	}
	if len(all) < 30 {
		t.Errorf("only %d fuzz targets were found", len(all))
	}
	return all
}
