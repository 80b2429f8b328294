package main

import (
	"fmt"
	"slices"
	"strings"
)

// table is a Markdown table.
type table struct {
	head []string
	rows [][]string
}

func (t table) markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	line(slices.Repeat([]string{"---"}, len(t.head)))
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

func (r *report) machineTable() table {
	t := table{head: []string{"", ""}}
	for _, f := range facts {
		if value := r.Machine[f.key]; value != "" {
			t.rows = append(t.rows, []string{f.what, value})
		}
	}
	return t
}

func (r *report) goalsTable() table {
	t := table{head: []string{"what", "goal", "measured", ""}}
	for _, g := range r.Goals {
		verdict := g.verdict()
		if !g.Met {
			verdict = "**missed**"
		}
		t.rows = append(t.rows, []string{g.What, g.Goal, g.Measured, verdict})
	}
	return t
}

func operationsTable(m *measured) (table, error) {
	t := table{head: []string{"what", "median", "p99", "samples", "floor", "ratio", "the floor is"}}
	var lacking []error
	for _, o := range operations {
		r, err := m.find(o.pattern, o.at)
		if err != nil {
			lacking = append(lacking, err)
			continue
		}
		cells, err := r.cells("p50-ns", "p99-ns", "samples", "floor-p50-ns", "ratio")
		what := o.what
		if among := r.among(); among != "" {
			what += ", " + among
		}
		t.rows, lacking = append(t.rows, append(append([]string{what}, cells...), o.floor)), append(lacking, err)
	}
	return t, distinct(lacking)
}

func ratesTable(m *measured) (table, error) {
	t := table{head: []string{"what", "median", "p99", "a second", "floor", "ratio", "the floor is"}}
	var lacking []error
	for _, o := range rates {
		r, err := m.find(o.pattern, o.at)
		if err != nil {
			lacking = append(lacking, err)
			continue
		}
		cells, err := r.cells("p50-ns", "p99-ns", "per-s", "floor-per-s", "ratio")
		t.rows, lacking = append(t.rows, append(append([]string{o.what}, cells...), o.floor)), append(lacking, err)
	}
	return t, distinct(lacking)
}

func floorsTable(m *measured) (table, error) {
	t := table{head: []string{"floor", "median"}}
	var lacking []error
	for _, f := range floors {
		r, err := m.find(f.pattern, first)
		if err != nil {
			lacking = append(lacking, err)
			continue
		}
		cells, err := r.cells(f.unit)
		t.rows, lacking = append(t.rows, append([]string{f.what}, cells...)), append(lacking, err)
	}
	return t, distinct(lacking)
}

// growthTable has the medians of what may grow at each population.
func growthTable(m *measured) (table, error) {
	t := table{head: []string{"median"}}
	var populations []float64
	rows := map[string]map[float64]string{}
	var lacking []error
	for _, g := range growing {
		all, err := m.along(g.pattern)
		lacking = append(lacking, err)
		cells := map[float64]string{}
		for _, r := range all {
			shown, err := r.cells("p50-ns")
			lacking = append(lacking, err)
			cells[r.population()] = shown[0]
			populations = append(populations, r.population())
		}
		rows[g.what] = cells
	}
	slices.Sort(populations)
	populations = slices.Compact(populations)
	for _, n := range populations {
		t.head = append(t.head, grouped(n))
	}
	for _, g := range growing {
		row := []string{g.what}
		for _, n := range populations {
			row = append(row, rows[g.what][n])
		}
		t.rows = append(t.rows, row)
	}
	return t, distinct(lacking)
}

func memoryTable(m *measured) (table, error) {
	t := table{head: []string{"sessions", "one to an account", "ten to an account", "`users sessions`: the command", "the host grows by", "the plugin grows by"}}
	byPopulation, err := m.along("Memory/sessions=*/each=1")
	if err != nil {
		return t, err
	}
	var lacking []error
	for _, one := range byPopulation {
		row := []string{grouped(one.population())}
		cells, err := one.cells("B/session")
		row, lacking = append(row, cells...), append(lacking, err)
		name := "sessions=" + one.parameter("sessions")
		ten, err := m.find("Memory/"+name+"/each=10", first)
		lacking = append(lacking, err)
		if err == nil {
			cells, err := ten.cells("B/session")
			row, lacking = append(row, cells...), append(lacking, err)
		}
		listed := []string{"", "", ""}
		if r := m.byName["ListSessions/"+name+"/format=table"]; r != nil {
			listed, err = r.cells("command-MiB", "host-growth-MiB", "plugin-growth-MiB")
			lacking = append(lacking, err)
		}
		t.rows = append(t.rows, append(row, listed...))
	}
	return t, distinct(lacking)
}

// cells are figures of a result, in words.
func (r *result) cells(units ...string) ([]string, error) {
	var all []string
	var lacking []error
	for _, unit := range units {
		value, err := r.metric(unit)
		lacking = append(lacking, err)
		show := count
		switch {
		case strings.HasSuffix(unit, "-ns") || strings.HasPrefix(unit, "ns-"):
			show = duration
		case strings.HasSuffix(unit, "per-s"):
			show = perSecond
		case strings.HasSuffix(unit, "-MiB"):
			show = mebibytes
		case strings.HasPrefix(unit, "B/"):
			show = bytesOf
		case unit == "ratio":
			show = times
		}
		all = append(all, show(value))
	}
	return all, distinct(lacking)
}

func (r *report) peersTable() table {
	who := []string{us, "etcd", "PostgreSQL"}
	t := table{head: append(append([]string{"what", "callers"}, who...), "who wins")}
	for _, c := range r.Peers {
		row := []string{c.What, fmt.Sprint(c.Callers)}
		for _, w := range who {
			cell := "not measured"
			if s, ok := c.of(w); ok {
				cell = fmt.Sprintf("%s, p99 %s, %s", duration(s.P50), duration(s.P99), perSecond(s.PerSecond))
			}
			row = append(row, cell)
		}
		t.rows = append(t.rows, append(row, c.verdict()))
	}
	return t
}

// backendsTable has our logic on each store, if that was measured: the medians
// of BenchmarkBackends of the package plugin.
func backendsTable(m *measured) (table, error) {
	stores := []string{"mem", "bolt", "etcd"}
	t := table{head: append([]string{"the plugin's work alone, 1,000 accounts"}, stores...)}
	for _, rec := range m.results {
		op, ok := strings.CutPrefix(nameOf(rec), "Backends/op=")
		op, ok2 := strings.CutSuffix(op, "/backend=mem")
		if !ok || !ok2 {
			continue
		}
		row := []string{strings.ReplaceAll(op, "-", " ")}
		for _, s := range stores {
			r, err := m.find("Backends/op="+op+"/backend="+s, first)
			if err != nil {
				return t, err
			}
			cells, err := r.cells("ns-p50")
			if err != nil {
				return t, err
			}
			row = append(row, cells...)
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}
