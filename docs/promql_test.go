package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A query is what a PromQL expression asks for.
type query struct {
	metrics []string
	labels  []string // that it selects, groups or joins by
}

var (
	promToken    = regexp.MustCompile(`^(?:"(?:[^"\\]|\\.)*"|\$\{?[a-zA-Z_]+\}?|[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9]+(?:\.[0-9]+)?[a-z]*|==|!=|=~|!~|>=|<=|[-+*/%^<>={}()\[\],])`)
	promName     = regexp.MustCompile(`^[a-zA-Z_:]`)
	promFunction = []string{
		"avg", "clamp_min", "count", "histogram_quantile", "increase", "max", "min", "rate", "sum", "time", "label_values",
	}
	promGrouping = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}
	promWord     = []string{"and", "or", "unless", "bool", "offset"}
	promCloses   = map[string]string{"(": ")", "{": "}", "[": "]"}
)

// readQuery finds the metrics and labels of an expression. It knows as much of
// the language as tells names apart, and refuses what it does not know.
func readQuery(expr string) (q query, err error) {
	type bracket struct {
		closes string
		labels bool // it holds names of labels
	}
	var open []bracket
	var before string // the token before
	for rest := strings.TrimSpace(expr); rest != ""; {
		token := promToken.FindString(rest)
		if token == "" {
			return query{}, fmt.Errorf("%q: nothing is known that begins with %q", expr, rest)
		}
		rest = strings.TrimSpace(rest[len(token):])
		last := len(open) - 1
		switch {
		case promCloses[token] != "":
			open = append(open, bracket{promCloses[token], token == "{" || slices.Contains(promGrouping, before)})
		case token == ")" || token == "}" || token == "]":
			if last < 0 || open[last].closes != token {
				return query{}, fmt.Errorf("%q: a %s too many", expr, token)
			}
			open = open[:last]
		case !promName.MatchString(token):
		case last >= 0 && open[last].labels:
			q.labels = append(q.labels, token)
		case slices.Contains(promGrouping, token), slices.Contains(promWord, token):
		case strings.HasPrefix(rest, "(") || slices.ContainsFunc(promGrouping, func(g string) bool { return strings.HasPrefix(rest, g+" ") }):
			if !slices.Contains(promFunction, token) {
				return query{}, fmt.Errorf("%q: no function is called %s", expr, token)
			}
		case before == "," && strings.HasPrefix(expr, "label_values("):
			q.labels = append(q.labels, token)
		default:
			q.metrics = append(q.metrics, token)
		}
		before = token
	}
	if len(open) > 0 {
		return query{}, fmt.Errorf("%q: a bracket is not closed", expr)
	}
	if len(q.metrics) == 0 {
		return query{}, fmt.Errorf("%q asks for no metric", expr)
	}
	return q, nil
}

func TestReadQuery(t *testing.T) {
	for expr, want := range map[string]query{
		`a`:                              {[]string{"a"}, nil},
		`time() - a_seconds{b=~"$b"}`:    {[]string{"a_seconds"}, []string{"b"}},
		`sum by (c) (rate(a_total[5m]))`: {[]string{"a_total"}, []string{"c"}},
		`histogram_quantile(0.99, sum by (le, c) (rate(a_bucket{d!="e, f{"}[$__rate_interval]))) > 0.5`: {[]string{"a_bucket"}, []string{"le", "c", "d"}},
		`a / on (c) group_left (d) b`: {[]string{"a", "b"}, []string{"c", "d"}},
		`a - (a offset 10m or 0 * a)`: {[]string{"a", "a", "a"}, nil},
		`label_values(a, c)`:          {[]string{"a"}, []string{"c"}},
	} {
		q, err := readQuery(expr)
		if err != nil || !slices.Equal(q.metrics, want.metrics) || !slices.Equal(q.labels, want.labels) {
			t.Errorf("%s: %v, %v, want %v", expr, q, err, want)
		}
	}
	for _, expr := range []string{``, `1 + 2`, `rat(a[5m])`, `sum(a`, `sum(a))`, `a{b="c"]`, `a{b='c'}`, `a; b`, `sum by (a)`} {
		if q, err := readQuery(expr); err == nil {
			t.Errorf("%q passes for %v", expr, q)
		}
	}
}
