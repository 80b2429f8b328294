package conformance

import (
	"strings"
	"testing"
)

// Test runs every case against the subject as a subtest. One that the backend
// does not declare is logged as unsupported.
func Test(t *testing.T, s Subject) {
	report, err := Run(t.Context(), s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		t.Run(r.Name, func(t *testing.T) {
			switch r.Outcome {
			case Unsupported:
				t.Logf("unsupported, for want of %s", strings.Join(r.Lacking, ", "))
			case Failed:
				t.Error(r.Explanation())
			}
		})
	}
}

// Explanation says what a failed case saw, sent and got, which line of the
// contract that breaks, and what its processes logged.
func (r Result) Explanation() string {
	var b strings.Builder
	for _, f := range r.Failures {
		b.WriteString(f + "\n")
	}
	b.WriteString("contract: " + r.Contract + "\n")
	for _, e := range r.Exchanges {
		b.WriteString(e.Event + e.Method + "\n")
		if e.Sent != "" {
			b.WriteString("  sent      " + e.Sent + "\n")
		}
		if e.Received != "" {
			b.WriteString("  received  " + e.Received + "\n")
		}
	}
	if len(r.Log) > 0 {
		b.WriteString("log\n")
	}
	for _, line := range r.Log {
		b.WriteString("  " + line + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
