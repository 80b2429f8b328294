package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// report is all that the documents tell, computed.
type report struct {
	Machine map[string]string `json:"machine"`
	Goals   []judged          `json:"goals"`
	Peers   []compared        `json:"peers"`
	Results []*result         `json:"results"`

	tables map[string]table
}

// facts are what the input may tell of the machine, in the order of the table.
var facts = []struct{ key, what string }{
	{"date", "date"}, {"commit", "commit"}, {"cpu", "processor"}, {"cores", "processors"}, {"memory", "memory"},
	{"disk", "file system"}, {"kernel", "kernel"}, {"goos", "system"}, {"goarch", "architecture"}, {"toolchain", "Go"}, {"took", "the run took"},
}

// reportOf fails with the names of all that the input lacks.
func reportOf(m *measured) (*report, error) {
	r := &report{Machine: map[string]string{}, tables: map[string]table{}, Results: slices.Collect(maps.Values(m.byName))}
	slices.SortFunc(r.Results, func(a, b *result) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range facts {
		if value := m.config(f.key); value != "" {
			r.Machine[f.key] = value
		}
	}
	var lacking []error
	for _, g := range goals {
		j, err := g.judge(m)
		r.Goals, lacking = append(r.Goals, j), append(lacking, err)
	}
	for _, c := range contests {
		ended, err := c.hold(m)
		r.Peers, lacking = append(r.Peers, ended), append(lacking, err)
	}
	for name, make := range map[string]func(*measured) (table, error){
		"operations": operationsTable, "rates": ratesTable, "floors": floorsTable, "growth": growthTable, "memory": memoryTable, "backends": backendsTable,
	} {
		t, err := make(m)
		r.tables[name], lacking = t, append(lacking, err)
	}
	if err := distinct(lacking); err != nil {
		return nil, err
	}
	r.tables["machine"], r.tables["goals"], r.tables["peers"] = r.machineTable(), r.goalsTable(), r.peersTable()
	return r, nil
}

// distinct joins errors, each text once.
func distinct(all []error) error {
	seen := map[string]bool{}
	return errors.Join(slices.DeleteFunc(all, func(err error) bool {
		if err == nil || seen[err.Error()] {
			return true
		}
		seen[err.Error()] = true
		return false
	})...)
}

func (r *report) json() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "\t")
	return append(text, '\n'), err
}

// parts are the texts between the markers of the page, by their names.
func (r *report) parts() map[string]string {
	all := map[string]string{}
	for name, t := range r.tables {
		all[name] = t.markdown()
	}
	return all
}

// fill puts each part between its markers in the page. Every part has its place
// there, and every place its part.
func fill(page []byte, parts map[string]string) ([]byte, error) {
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
		before, rest, found := bytes.Cut(page, []byte(begin))
		_, after, ended := bytes.Cut(rest, []byte(end))
		if !found || !ended {
			return nil, fmt.Errorf("there is no place for the part %q: %s and %s", name, strings.TrimSpace(begin), strings.TrimSpace(end))
		}
		page = slices.Concat(before, []byte(begin), []byte(parts[name]), []byte(end), after)
	}
	if n := bytes.Count(page, []byte(": begin -->\n")); n != len(parts) {
		return nil, fmt.Errorf("%d places for %d parts", n, len(parts))
	}
	return page, nil
}
