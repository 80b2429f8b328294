package docs_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// What a document shows is compared with what was printed line by line, with
// these liberties, and no others:
//
//   - a line that is "…" stands for any number of lines;
//   - "…" within a line stands for any text;
//   - values that differ each time (times, request ids, session ids, digests,
//     ports of localhost) are compared by their form;
//   - a run of two or more blanks, as tables have, equals any other.
const anything = "…"

var forms = []struct {
	form *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "<instant>"},
	{regexp.MustCompile(`\b(\d{4}-\d\d-\d\d|today) \d\d:\d\d\b|\b\d+ min ago\b|\bjust now\b`), "<time>"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b`), "<request id>"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "<digest>"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "<id>"},
	{regexp.MustCompile(`\blocalhost:\d{4,5}\b`), "<port of localhost>"},
	{regexp.MustCompile(` {2,}`), "  "},
}

func normal(line string) string {
	line = strings.TrimRight(line, " \t")
	for _, f := range forms {
		line = f.form.ReplaceAllString(line, f.as)
	}
	return line
}

// compare says how what was printed differs from what is shown, or nil.
func compare(shown, printed string) error {
	if !matchLines(lines(shown), lines(printed)) {
		return fmt.Errorf("the document shows:\n%s\nbut this was printed:\n%s", indent(shown), indent(printed))
	}
	return nil
}

// compareBeginning is compare for a command that goes on printing.
func compareBeginning(shown, printed string) error {
	return compare(strings.TrimSuffix(shown, "\n")+"\n"+anything+"\n", printed)
}

func lines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	all := strings.Split(text, "\n")
	for i := range all {
		all[i] = normal(all[i])
	}
	return all
}

func matchLines(shown, printed []string) bool {
	if len(shown) == 0 {
		return len(printed) == 0
	}
	if shown[0] == anything {
		for i := range len(printed) + 1 {
			if matchLines(shown[1:], printed[i:]) {
				return true
			}
		}
		return false
	}
	return len(printed) > 0 && matchText(shown[0], printed[0]) && matchLines(shown[1:], printed[1:])
}

func matchText(shown, printed string) bool {
	pieces := strings.Split(shown, anything)
	for i := range pieces {
		pieces[i] = regexp.QuoteMeta(pieces[i])
	}
	return regexp.MustCompile(`^` + strings.Join(pieces, `.*`) + `$`).MatchString(printed)
}

func indent(text string) string {
	return "  | " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  | ")
}

// TestCompareBites shows that the comparison finds faults, and what it lets
// pass.
func TestCompareBites(t *testing.T) {
	for _, c := range []struct {
		name, shown, printed string
		same                 bool
	}{
		{"Same", "a\nb\n", "a\nb\n", true},
		{"OtherText", "a\nb\n", "a\nc\n", false},
		{"TooLittle", "a\nb\n", "a\n", false},
		{"TooMuch", "a\n", "a\nb\n", false},
		{"Silence", "", "a\n", false},
		{"AnyLines", "a\n…\nz\n", "a\nb\nc\nz\n", true},
		{"AnyLinesNone", "a\n…\nz\n", "a\nz\n", true},
		{"AnyLinesEndElsewhere", "a\n…\nz\n", "a\nb\nc\n", false},
		{"AnyText", "at …/run/x\n", "at /tmp/1/run/x\n", true},
		{"AnyTextEndsElsewhere", "at …/run/x\n", "at /tmp/1/run/y\n", false},
		{"PatternIsText", "a.c\n", "abc\n", false},
		{"Time", "since 2026-11-23 10:48\n", "since 2031-01-02 23:59\n", true},
		{"TimeOfToday", "since 2026-11-23 10:48\n", "since today 00:00\n", true},
		{"Age", "since 12 min ago\n", "since just now\n", true},
		{"NoTime", "since 2026-11-23 10:48\n", "since never\n", false},
		{"Columns", "A   B\n", "A       B\n", true},
		{"NoColumns", "A B\n", "A  B\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := compare(c.shown, c.printed); (err == nil) != c.same {
				t.Errorf("compare(%q, %q): %v", c.shown, c.printed, err)
			}
		})
	}
	if compareBeginning("a\n", "a\nb\n") != nil || compareBeginning("a\nc\n", "a\nb\n") == nil {
		t.Error("compareBeginning does not compare the beginning")
	}
}
