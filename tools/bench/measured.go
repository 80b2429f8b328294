package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// measured is what the benchmarks printed.
type measured struct {
	results []*benchfmt.Result
	byName  map[string]*result
}

// result is one benchmark's line.
type result struct {
	Name    string             `json:"name"` // without Benchmark and GOMAXPROCS
	Package string             `json:"package"`
	Metrics map[string]float64 `json:"metrics"` // in the units of their names
}

// result's parameters are the parts of its name: population, callers, peer.
func (r *result) parameter(key string) string {
	for part := range strings.SplitSeq(r.Name, "/") {
		if value, ok := strings.CutPrefix(part, key+"="); ok {
			return value
		}
	}
	return ""
}

func (m *measured) readFile(name string, in io.Reader) error {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	return m.read(name, in)
}

// read takes results and passes over everything else that "go test" prints. A
// benchmark that is there already is replaced: a part that ran again.
func (m *measured) read(name string, in io.Reader) error {
	if m.byName == nil {
		m.byName = map[string]*result{}
	}
	reader := benchfmt.NewReader(in, name)
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return rec
		case *benchfmt.Result:
			m.add(rec.Clone())
		}
	}
	return reader.Err()
}

func (m *measured) add(rec *benchfmt.Result) {
	parsed := &result{Name: nameOf(rec), Package: rec.GetConfig("pkg"), Metrics: map[string]float64{}}
	for _, v := range rec.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" {
			value, unit = v.OrigValue, v.OrigUnit
		}
		if unit != "ns/op" || value != 0 { // 0 says that it was not wanted
			parsed.Metrics[unit] = value
		}
	}
	if m.byName[parsed.Name] != nil {
		m.results = slices.DeleteFunc(m.results, func(r *benchfmt.Result) bool { return nameOf(r) == parsed.Name })
	}
	m.byName[parsed.Name] = parsed
	m.results = append(m.results, rec)
}

// nameOf leaves out the number of processors, which is a fact about the machine.
func nameOf(r *benchfmt.Result) string {
	name := string(r.Name.Full())
	if dash := strings.LastIndexByte(name, '-'); dash > 0 && strings.Trim(name[dash+1:], "0123456789") == "" {
		name = name[:dash]
	}
	return name
}

// config is a fact that the input states about itself, such as cpu.
func (m *measured) config(key string) string {
	for _, r := range m.results {
		if value := r.GetConfig(key); value != "" {
			return value
		}
	}
	return ""
}

// text is all that was read, in the form in which it came.
func (m *measured) text() []byte {
	var b bytes.Buffer
	w := benchfmt.NewWriter(&b)
	for _, r := range m.results {
		if err := w.Write(r); err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
	}
	return b.Bytes()
}

// along returns the results whose names fit the pattern, in which "*" stands for
// a population, from the smallest on. There is one at least.
func (m *measured) along(pattern string) ([]*result, error) {
	before, after, several := strings.Cut(pattern, "*")
	var all []*result
	for _, r := range m.byName {
		population, begins := strings.CutPrefix(r.Name, before)
		population, ends := strings.CutSuffix(population, after)
		if begins && ends && !strings.Contains(population, "/") && (several || population == "") {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the input lacks Benchmark%s", pattern)
	}
	slices.SortFunc(all, func(a, b *result) int { return cmp.Compare(a.population(), b.population()) })
	return all, nil
}

// Places among the populations of a pattern, from the smallest on.
const (
	first  = 0
	second = 1
	last   = -1
)

// find returns the result that fits the pattern, at the place among them.
func (m *measured) find(pattern string, at int) (*result, error) {
	all, err := m.along(pattern)
	switch {
	case err != nil:
		return nil, err
	case at == last:
		at = len(all) - 1
	case at >= len(all):
		return nil, fmt.Errorf("the input has Benchmark%s for %d populations only", pattern, len(all))
	}
	return all[at], nil
}

// populations are the kinds among which is measured.
var populations = []string{"accounts", "sessions", "connections"}

// population is the number among which was measured; 0 where the name tells none.
func (r *result) population() float64 {
	for _, key := range populations {
		if n, err := strconv.ParseFloat(r.parameter(key), 64); err == nil {
			return n
		}
	}
	return 0
}

// metric returns a figure of the result.
func (r *result) metric(unit string) (float64, error) {
	value, ok := r.Metrics[unit]
	if !ok {
		return 0, fmt.Errorf("the input has no %s of Benchmark%s", unit, r.Name)
	}
	return value, nil
}
