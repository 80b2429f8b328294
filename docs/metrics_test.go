package docs_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/shared/account"
)

// family is one metric as a host serves it.
type family struct {
	name, kind, help string
	labels           []string // without those that make a histogram's buckets
	samples          []string // the names of its series
}

// served are a host's metrics, by the names of their series.
type served map[string]*family

// TestMetrics holds the table in operating.md, the dashboard and the alerts to
// what a real host serves. With UPDATE=1 in the environment it writes the table
// instead.
func TestMetrics(t *testing.T) {
	t.Parallel()
	all := scrape(t)
	t.Run("Table", func(t *testing.T) { all.holdTable(t) })
	t.Run("Dashboard", func(t *testing.T) { all.holdDashboard(t) })
	t.Run("Alerts", func(t *testing.T) { all.holdAlerts(t) })
}

// scrape does what operating.md shows, at a port of its own, and reads what the
// host serves then.
func scrape(t *testing.T) served {
	t.Helper()
	const shownAt = "127.0.0.1:9717"
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	r := newReader(t, "metrics")
	defer r.stop()
	steps := indented(t, "operating.md", "## Metrics")
	for i, s := range steps {
		s.command, s.shown = strings.ReplaceAll(s.command, shownAt, address), strings.ReplaceAll(s.shown, shownAt, address)
		if i > 0 {
			r.must(s)
		} else if err := r.stay(step{line: s.line, command: s.command, shown: s.shown + "Concourse is ready; …\n"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(steps) < 2 {
		t.Errorf("the guide shows only %v", steps)
	}
	r.must(step{command: "concourse users list --password-file $CONCOURSE_HOME/initial-admin-password\n", shown: "…\n"})
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	all, err := readMetrics(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// indented returns the steps of a section's indented examples.
func indented(t *testing.T, path, section string) (all []step) {
	t.Helper()
	var b block
	within, fenced := false, false
	for i, line := range strings.Split(read(t, path), "\n") {
		if strings.HasPrefix(line, "## ") {
			within = line == section
		}
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		text, ok := strings.CutPrefix(line, "    ")
		switch ok = ok && within && !fenced; {
		case ok && b.text == "":
			b = block{line: i, text: text + "\n"}
		case ok:
			b.text += text + "\n"
		case b.text != "":
			steps, err := b.steps()
			if err != nil {
				t.Fatalf("%s:%v", path, err)
			}
			all, b = append(all, steps...), block{}
		}
	}
	return all
}

var (
	promSample = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? [-+0-9.eInfNa]+$`)
	promLabel  = regexp.MustCompile(`([a-z]+)="[^"]*"(?:,|$)`)
)

// readMetrics reads the text that Prometheus reads.
func readMetrics(text string) (served, error) {
	all := served{}
	var f *family
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			f = &family{}
			f.name, f.help, _ = strings.Cut(help, " ")
			continue
		}
		if kind, ok := strings.CutPrefix(line, "# TYPE "); ok && f != nil && strings.HasPrefix(kind, f.name+" ") {
			f.kind = strings.TrimPrefix(kind, f.name+" ")
			continue
		}
		m := promSample.FindStringSubmatch(line)
		if m == nil || f == nil || f.kind == "" || !strings.HasPrefix(m[1], f.name) {
			return nil, fmt.Errorf("nothing is known of the line %q", line)
		}
		all[m[1]] = f
		if !slices.Contains(f.samples, m[1]) {
			f.samples = append(f.samples, m[1])
		}
		for _, l := range promLabel.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" && l[1] != "quantile" && !slices.Contains(f.labels, l[1]) {
				f.labels = append(f.labels, l[1])
			}
		}
	}
	return all, nil
}

// ours returns the host's own metrics in the order of their names.
func (s served) ours() (all []*family) {
	for _, f := range s {
		if strings.HasPrefix(f.name, "concourse_") && !slices.Contains(all, f) {
			slices.Sort(f.labels)
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	return all
}

func (s served) holdTable(t *testing.T) {
	const path, begin, end = "operating.md", "<!-- metrics: begin -->\n", "<!-- metrics: end -->\n"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(data, []byte(begin))
	shown, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", path, begin, end)
	}
	var b strings.Builder
	b.WriteString("| Metric | Type | Labels | What it is |\n| --- | --- | --- | --- |\n")
	for _, f := range s.ours() {
		labels := make([]string, len(f.labels))
		for i, l := range f.labels {
			labels[i] = "`" + l + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, f.kind, strings.Join(labels, ", "), f.help)
	}
	want := strings.ReplaceAll(b.String(), "|  |", "| |")
	if string(shown) == want {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("the table in %s is not the host's; UPDATE=1 go test ./docs -run TestMetrics writes it:\n%s", path, want)
	}
	if err := os.WriteFile(path, bytes.Join([][]byte{before, []byte(begin), []byte(want), []byte(end), after}, nil), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ofScrape are the labels that Prometheus itself gives, and up what it says of
// the scrape.
var ofScrape = []string{"instance", "job", "le"}

const up = "up"

var promClosed = regexp.MustCompile(`\b(outcome|listener)(?:=|!=|=~|!~)"([^"]*)"`)

// hold fails the test if an expression asks for what is not served.
func (s served) hold(t *testing.T, where, expr string) (asked []*family) {
	t.Helper()
	asked, err := s.asked(expr)
	if err != nil {
		t.Errorf("%s: %v", where, err)
	}
	return asked
}

// asked returns what an expression asks for. It refuses what is not served.
func (s served) asked(expr string) (asked []*family, err error) {
	q, err := readQuery(expr)
	if err != nil {
		return nil, err
	}
	labels := slices.Clone(ofScrape)
	for _, name := range q.metrics {
		f := s[name]
		switch {
		case f != nil:
			labels = append(labels, f.labels...)
			asked = append(asked, f)
		case name != up:
			return nil, fmt.Errorf("%q: no host serves %s", expr, name)
		}
	}
	for _, l := range q.labels {
		if !slices.Contains(labels, l) {
			return nil, fmt.Errorf("%q: nothing has the label %s", expr, l)
		}
	}
	known := []string{"ok", string(account.ManagementListener), string(account.ClientListener)}
	for _, k := range account.Kinds() {
		known = append(known, k.String())
	}
	for _, m := range promClosed.FindAllStringSubmatch(expr, -1) {
		for value := range strings.SplitSeq(m[2], "|") {
			if !slices.Contains(known, value) {
				return nil, fmt.Errorf("%q: %s is never %q", expr, m[1], value)
			}
		}
	}
	return asked, nil
}

// templates fails the test if a text names a label that its series may not have.
func templates(t *testing.T, where, text string, form *regexp.Regexp, asked []*family) {
	t.Helper()
	for _, m := range form.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(ofScrape, m[1]) && !slices.ContainsFunc(asked, func(f *family) bool { return slices.Contains(f.labels, m[1]) }) {
			t.Errorf("%s: %q names %s, which nothing that it asks for has", where, text, m[1])
		}
	}
}

// TestMetricsBite shows that a query for what is not served does not pass.
func TestMetricsBite(t *testing.T) {
	all, err := readMetrics("# HELP a_total An a.\n# TYPE a_total counter\na_total{outcome=\"ok\"} 1\n" +
		"# HELP b_seconds A b.\n# TYPE b_seconds histogram\nb_seconds_bucket{le=\"+Inf\"} 1\nb_seconds_sum 0.5\nb_seconds_count 1\n")
	if err != nil {
		t.Fatal(err)
	}
	for expr, wrong := range map[string]bool{
		`rate(a_total{outcome="ok"}[5m])`:                     false,
		`histogram_quantile(0.9, rate(b_seconds_bucket[5m]))`: false,
		`sum by (le, instance) (b_seconds_bucket) + up`:       false,
		`rate(a[5m])`:                      true,
		`b_seconds`:                        true,
		`sum by (listener) (a_total)`:      true,
		`a_total{outcome="okay"}`:          true,
		`sum by (outcome) (b_seconds_sum)`: true,
	} {
		if _, err := all.asked(expr); err != nil != wrong {
			t.Errorf("%s: %v", expr, err)
		}
	}
	for _, text := range []string{"a 1\n", "# HELP a A.\na 1\n", "# HELP a A.\n# TYPE a gauge\nb 1\n", "# HELP a A.\n# TYPE a gauge\na one\n"} {
		if _, err := readMetrics(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
