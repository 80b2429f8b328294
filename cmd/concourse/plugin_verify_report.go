package main

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/verify"
	"github.com/cinchapi/concourse-users/shared/conformance"
)

var resultsListing = listing[conformance.Result]{
	columns: []column{{name: "CASE"}, {name: "OUTCOME"}, {name: "TIME", rank: 2}, {name: "FOR WANT OF", sparse: true, cut: true, rank: 1}},
	cells: func(_ display, r conformance.Result) []string {
		took := ""
		if r.Outcome != conformance.Unsupported {
			took = fmt.Sprintf("%.2fs", r.Took.Seconds())
		}
		outcome := string(r.Outcome)
		if r.Outcome == conformance.Failed {
			outcome = strings.ToUpper(outcome) // to be found without colour
		}
		return []string{r.Name, outcome, took, strings.Join(r.Lacking, ", ")}
	},
}

type jsonVerified struct {
	Backend     jsonVerifiedBackend `json:"backend"`
	Results     []jsonVerifiedCase  `json:"results"`
	Passed      int                 `json:"passed"`
	Failed      int                 `json:"failed"`
	Unsupported int                 `json:"unsupported"`
	Seconds     float64             `json:"seconds"`
}

type jsonVerifiedBackend struct {
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	SHA256       string   `json:"sha256"`
	Path         string   `json:"path"`
	Capabilities []string `json:"capabilities"`
}

type jsonVerifiedCase struct {
	Case      string              `json:"case"`
	Outcome   conformance.Outcome `json:"outcome"`
	Seconds   float64             `json:"seconds"`
	Contract  string              `json:"contract"`
	Lacking   []string            `json:"lacking"`
	Failures  []string            `json:"failures"`
	Exchanges []jsonExchange      `json:"exchanges"`
	Log       []string            `json:"log"`
}

type jsonExchange struct {
	Event    string `json:"event"`
	Method   string `json:"method"`
	Sent     string `json:"sent"`
	Received string `json:"received"`
}

// report prints what a run came to: the table, what is to be said of each case
// that failed, and a line that sums it up.
func (c *console) report(s *verify.Subject, r conformance.Report) error {
	if c.json {
		return notPrinted(writeJSON(c.out, newJSONVerified(s, r)))
	}
	if err := resultsListing.print(c, batchOf(r.Results)); err != nil {
		return err
	}
	var lines []string
	for _, result := range r.Results {
		if result.Outcome == conformance.Failed {
			lines = append(lines, "", "FAILED "+result.Name)
			for line := range strings.SplitSeq(result.Explanation(), "\n") {
				lines = append(lines, "  "+line)
			}
		}
	}
	return c.say(append(lines, "", fmt.Sprintf("%s %s: %d passed, %d failed, %d unsupported, in %s", r.Backend.Name, r.Backend.Version,
		r.Count(conformance.Passed), r.Count(conformance.Failed), r.Count(conformance.Unsupported), r.Took.Round(100*time.Millisecond)))...)
}

func newJSONVerified(s *verify.Subject, r conformance.Report) jsonVerified {
	j := jsonVerified{
		Backend: jsonVerifiedBackend{r.Backend.Name, r.Backend.Version, s.Sum(), s.Path(), append([]string{}, r.Backend.Capabilities...)},
		Results: []jsonVerifiedCase{},
		Passed:  r.Count(conformance.Passed), Failed: r.Count(conformance.Failed), Unsupported: r.Count(conformance.Unsupported),
		Seconds: seconds(r.Took),
	}
	for _, result := range r.Results {
		k := jsonVerifiedCase{
			result.Name, result.Outcome, seconds(result.Took), result.Contract,
			append([]string{}, result.Lacking...), append([]string{}, result.Failures...), []jsonExchange{}, append([]string{}, result.Log...),
		}
		for _, e := range result.Exchanges {
			k.Exchanges = append(k.Exchanges, jsonExchange(e))
		}
		j.Results = append(j.Results, k)
	}
	return j
}

// seconds are exact to the millisecond.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// batchOf yields the items, if any, as one batch.
func batchOf[R any](items []R) iter.Seq2[[]R, error] {
	return func(yield func([]R, error) bool) { yield(items, nil) }
}
