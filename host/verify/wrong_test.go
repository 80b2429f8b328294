package verify_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// wrong is a fault of testdata/wrong, and the case that is there to catch it.
type wrong struct{ fault, by string }

// TestWrong shows that the suite can fail: each fault is caught by the case made
// for it, and the same backend without the fault passes that.
func TestWrong(t *testing.T) {
	executable := hosttest.BuildPlain(t, "./host/verify/testdata/wrong")
	var cases []string
	for _, w := range slices.Concat(wrongProcess, wrongCommands, wrongGuarantees) {
		cases = append(cases, w.by)
		t.Run(w.fault, func(t *testing.T) {
			t.Parallel()
			wantFailed(t, verified(t, executable, []string{w.by}, "--set", "fault="+w.fault))
		})
	}
	t.Run("right", func(t *testing.T) {
		t.Parallel()
		wantPassed(t, verified(t, executable, cases))
	})
}

// result is one of "concourse plugin verify --format json".
type result struct {
	Case, Outcome, Contract string
	Failures, Log           []string
	Exchanges               []struct{ Event string }
}

// verified runs the cases of these names by the command.
func verified(t *testing.T, executable string, cases []string, options ...string) []result {
	t.Helper()
	var names []string
	for _, c := range cases {
		names = append(names, regexp.QuoteMeta(c))
	}
	args := append([]string{"plugin", "verify", "--format", "json", "--run", "^(" + strings.Join(names, "|") + ")$"}, options...)
	out, err := exec.Command(hosttest.BuildPlain(t, "./cmd/concourse"), append(args, executable)...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() != 1 {
		t.Fatalf("exit status %d: %s", exit.ExitCode(), exit.Stderr)
	}
	var report struct{ Results []result }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	slices.Sort(cases)
	if want := len(slices.Compact(cases)); len(report.Results) != want {
		t.Fatalf("%d cases were run, want %d", len(report.Results), want)
	}
	return report.Results
}

func wantFailed(t *testing.T, results []result) {
	t.Helper()
	for _, r := range results {
		if r.Outcome != "failed" || len(r.Failures) == 0 || r.Contract == "" {
			t.Errorf("%s: %s %q, want it failed", r.Case, r.Outcome, r.Failures)
		}
	}
}

func wantPassed(t *testing.T, results []result) {
	t.Helper()
	for _, r := range results {
		if r.Outcome != "passed" {
			t.Errorf("%s: %s %q, want it passed", r.Case, r.Outcome, r.Failures)
		}
	}
}
