package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// brief is a run among few, with the sections of a real page.
func brief(t *testing.T, change func(text string) string) (dir string, args []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/brief.txt")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	input := filepath.Join(dir, "input.txt")
	for path, content := range map[string]string{input: change(string(text)), filepath.Join(dir, "performance.md"): string(page)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, []string{"-docs", dir, input}
}

func same(text string) string { return text }

// files returns what a run has left in its directory, but its input.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "input.txt" {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = string(content)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRun(t *testing.T) {
	dir, args := brief(t, same)
	if err := run(args, nil, &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	made := files(t, dir)
	want := []string{
		"performance.json", "performance.md", "performance.txt",
		"performance/changes.svg", "performance/checks.svg", "performance/hashing.svg", "performance/listing.svg",
	}
	if got := slices.Sorted(maps.Keys(made)); !slices.Equal(got, want) {
		t.Fatalf("made %v, want %v", got, want)
	}
	t.Run("Table", func(t *testing.T) {
		row := "| grant, 100 accounts | 3.66 ms | 3.66 ms | 1 | 1.97 ms | 1.86 × | two-hop call + commit + audit sync |\n"
		if !strings.Contains(made["performance.md"], row) {
			t.Errorf("there is no row\n%sin\n%s", row, made["performance.md"])
		}
	})
	t.Run("PageRefersToEveryPlot", func(t *testing.T) {
		for name := range made {
			if strings.HasSuffix(name, ".svg") && !strings.Contains(made["performance.md"], "]("+name+")") {
				t.Errorf("the page does not show %s", name)
			}
		}
	})
	t.Run("AgainFromWhatWasKept", func(t *testing.T) {
		if err := run([]string{"-docs", dir}, nil, &strings.Builder{}); err != nil {
			t.Fatal(err)
		}
		if again := files(t, dir); !maps.Equal(again, made) {
			t.Error("performance.txt does not give what the input gave")
		}
	})
}

func TestRun_ErrMissing(t *testing.T) {
	for _, c := range []struct{ without, names string }{
		{"BenchmarkGrant/.*", "BenchmarkGrant/accounts=*"},
		{"BenchmarkLogins/listener=client/callers=64.*", "BenchmarkLogins/listener=client/callers=64"},
		{"(BenchmarkStart/accounts=1e2.*) [0-9.]+ ratio", "no ratio of BenchmarkStart/accounts=1e2"},
	} {
		_, args := brief(t, func(text string) string {
			return regexp.MustCompile("(?m)^"+c.without).ReplaceAllString(text, "$1")
		})
		if err := run(args, nil, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("without %s: %v, want an error that names %s", c.without, err, c.names)
		}
	}
	t.Run("ErrNoPlace", func(t *testing.T) {
		dir, args := brief(t, same)
		if err := os.WriteFile(filepath.Join(dir, "performance.md"), []byte("<!-- goals: begin -->\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run(args, nil, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), `no place for the part "backends"`) {
			t.Errorf("got %v", err)
		}
	})
}

// measuredOf reads lines of benchmarks.
func measuredOf(t *testing.T, lines ...string) *measured {
	t.Helper()
	m := &measured{}
	if err := m.read("lines", strings.NewReader(strings.Join(lines, "\n")+"\n")); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestGoal(t *testing.T) {
	m := measuredOf(t,
		"BenchmarkA/accounts=1e3-2 1 1.500 ratio 8000000 over-ns",
		"BenchmarkA/accounts=1e6-2 1 1.501 ratio",
		"BenchmarkB-2 1 0.85 ratio 0 allocs",
	)
	for _, c := range []struct {
		goal
		met      bool
		measured string
	}{
		{goal{pattern: "A/accounts=*", at: first, unit: "ratio", most: 1.5, show: times}, true, "1.50 ×"},
		{goal{pattern: "A/accounts=*", at: last, unit: "ratio", most: 1.5, show: times}, false, "1.50 ×"},
		{goal{pattern: "A/accounts=*", at: first, unit: "over-ns", most: 7.9e6, show: over}, false, "8.00 ms more"},
		{goal{pattern: "B", unit: "ratio", least: 0.85, show: times}, true, "0.850 ×"},
		{goal{pattern: "B", unit: "ratio", least: 0.86, show: times}, false, "0.850 ×"},
		{goal{pattern: "B", unit: "allocs", show: count}, true, "0"},
	} {
		j, err := c.judge(m)
		if err != nil || j.Met != c.met || j.Measured != c.measured {
			t.Errorf("%+v: %q, met %v, %v; want %q, met %v", c.goal, j.Measured, j.Met, err, c.measured, c.met)
		}
	}
}

func TestContest(t *testing.T) {
	c := contest{"login", 16, "Logins", "Authenticate", "Connect"}
	ours := "BenchmarkLogins-2 1 200000 p50-ns 300000 p99-ns 80.0 per-s"
	for _, o := range []struct {
		lines []string
		want  string
	}{
		{nil, "nobody else was measured"},
		{[]string{"BenchmarkPeer/peer=etcd/op=Authenticate/callers=16-2 1 400000 p50-ns 500000 p99-ns 20.0 per-s"}, "Concourse, 4.00 × etcd"},
		{[]string{
			"BenchmarkPeer/peer=etcd/op=Authenticate/callers=16-2 1 400000 p50-ns 500000 p99-ns 20.0 per-s",
			"BenchmarkPeer/peer=postgres/op=Connect/callers=16-2 1 40000 p50-ns 50000 p99-ns 160 per-s",
		}, "PostgreSQL, 2.00 × Concourse"},
	} {
		ended, err := c.hold(measuredOf(t, append(o.lines, ours)...))
		if err != nil || ended.verdict() != o.want {
			t.Errorf("%q, %v, want %q", ended.verdict(), err, o.want)
		}
	}
}

func TestFigures(t *testing.T) {
	for want, got := range map[string]string{
		"185 ns": duration(185.4), "4.25 µs": duration(4249), "22.4 ms": duration(22.41e6), "1.20 s": duration(1.2e9),
		"1.00 ms": duration(999_999.9), "-3.00 ms": duration(-3e6), "0 ns": duration(0),
		"12,300/s": perSecond(12345), "88.1/s": perSecond(88.06), "0.850 ×": times(0.85), "1,000,000": grouped(1e6), "999": grouped(999),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
