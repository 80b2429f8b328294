package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// ruleFile is Prometheus's, as far as ours goes.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

// scrapeFile is what Prometheus is told of a host.
type scrapeFile struct {
	Scrape []struct {
		Job      string                       `yaml:"job_name"`
		Interval string                       `yaml:"scrape_interval"`
		Static   []struct{ Targets []string } `yaml:"static_configs"`
	} `yaml:"scrape_configs"`
	Rules []string `yaml:"rule_files"`
}

func (s served) holdAlerts(t *testing.T) {
	var scrapes scrapeFile
	strictly(t, "examples/prometheus.yaml", &scrapes)
	if len(scrapes.Scrape) != 1 || len(scrapes.Rules) != 1 {
		t.Fatalf("prometheus.yaml says %+v", scrapes)
	}
	var rules ruleFile
	strictly(t, filepath.Join("examples", scrapes.Rules[0]), &rules)
	job, alerts := `job="`+scrapes.Scrape[0].Job+`"`, map[string]bool{}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			asked := s.hold(t, r.Alert, r.Expr)
			if strings.Contains(r.Expr, "job=") && !strings.Contains(r.Expr, job) {
				t.Errorf("%s is of another job than %s", r.Alert, job)
			}
			if !regexp.MustCompile(`^Concourse[A-Z]\w+$`).MatchString(r.Alert) || alerts[r.Alert] {
				t.Errorf("an alert is called %q", r.Alert)
			}
			alerts[r.Alert] = true
			if !regexp.MustCompile(`^([0-9]+[smh])?$`).MatchString(r.For) {
				t.Errorf("%s waits for %q", r.Alert, r.For)
			}
			if severity := r.Labels["severity"]; severity != "page" && severity != "ticket" {
				t.Errorf("%s has the severity %q", r.Alert, severity)
			}
			for _, name := range []string{"summary", "description"} {
				text := r.Annotations[name]
				if text == "" {
					t.Errorf("%s has no %s", r.Alert, name)
				}
				templates(t, r.Alert, text, regexp.MustCompile(`\{\{ *\$labels\.(\w+)`), asked)
			}
		}
	}
	if len(alerts) < 5 {
		t.Errorf("there are only the alerts %v", alerts)
	}
}

// strictly reads a YAML file that may say nothing else.
func strictly(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Load([]byte(read(t, path)), into, yaml.WithKnownFields()); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
