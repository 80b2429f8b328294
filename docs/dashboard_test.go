package docs_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what matters of Grafana's format.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct {
			Name, Type string
			Query      any
		}
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               struct{ Type, UID string }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct{ RefID, Expr, LegendFormat string }
}

func (p panel) overlaps(o panel) bool {
	a, b := p.GridPos, o.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

func (s served) holdDashboard(t *testing.T) {
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "examples/grafana-dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 39 {
		t.Errorf("the dashboard is %q, %q, of schema %d", d.UID, d.Title, d.SchemaVersion)
	}
	variables := map[string]bool{"$__rate_interval": true}
	for _, v := range d.Templating.List {
		variables["$"+v.Name] = true
		if v.Type == "query" {
			s.hold(t, "variable "+v.Name, v.Query.(map[string]any)["query"].(string))
		}
	}
	shown := map[*family]bool{}
	for i, p := range d.Panels {
		g := p.GridPos
		if p.ID != i+1 || p.Title == "" || g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("panel %d, %q, lies at %+v", p.ID, p.Title, g)
		}
		for _, o := range d.Panels[:i] {
			if p.overlaps(o) {
				t.Errorf("%q lies over %q", p.Title, o.Title)
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("%q lacks its description, unit, source or query", p.Title)
		}
		for n, q := range p.Targets {
			if q.RefID != string(rune('A'+n)) {
				t.Errorf("%q: query %d is called %q", p.Title, n, q.RefID)
			}
			asked := s.hold(t, p.Title, q.Expr)
			for _, f := range asked {
				shown[f] = true
			}
			templates(t, p.Title, q.LegendFormat, regexp.MustCompile(`\{\{(\w+)\}\}`), asked)
			for _, v := range regexp.MustCompile(`\$\w+`).FindAllString(q.Expr, -1) {
				if !variables[v] {
					t.Errorf("%q: there is no variable %s", p.Title, v)
				}
			}
			if !strings.Contains(q.Expr, `instance=~"$instance"`) {
				t.Errorf("%q shows hosts that were not chosen", p.Title)
			}
		}
	}
	for _, f := range s.ours() {
		if !shown[f] {
			t.Errorf("%s is not on the dashboard", f.name)
		}
	}
}
