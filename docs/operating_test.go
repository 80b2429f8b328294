package docs_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/audit"
)

// TestAuditTables holds what the operator's guide says of the audit log to the
// log's own fields and events.
func TestAuditTables(t *testing.T) {
	var events []string
	for _, m := range regexp.MustCompile(`(?m)^\t\w+ +Event = "(\w+)"`).FindAllStringSubmatch(read(t, "../host/audit/entry.go"), -1) {
		events = append(events, m[1])
	}
	for table, want := range map[string][]string{
		"fields": jsonNames(reflect.TypeFor[audit.Entry]()),
		"caller": jsonNames(reflect.TypeFor[audit.Caller]()),
		"events": events,
	} {
		got := firstColumn(t, "operating.md", table)
		slices.Sort(got)
		slices.Sort(want)
		if len(want) < 5 || !slices.Equal(got, want) {
			t.Errorf("the guide's table of %s has %q, and the log %q", table, got, want)
		}
	}
}

func jsonNames(of reflect.Type) (names []string) {
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// firstColumn returns the words in code in the first column of a marked table.
func firstColumn(t *testing.T, page, table string) (words []string) {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, page), "<!-- "+table+": begin -->\n")
	rows, _, ok2 := strings.Cut(rest, "<!-- "+table+": end -->\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no table of %s", page, table)
	}
	for row := range strings.Lines(rows) {
		first := strings.Split(row, "|")[1]
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			words = append(words, m[1])
		}
	}
	return words
}
