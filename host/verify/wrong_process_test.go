package verify_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

var wrongProcess = []wrong{
	{"never-shuts-down", "process/ends-when-asked"},
	{"ends-with-another-status", "process/ends-when-asked"},
	{"waits-for-its-watches", "process/ends-when-asked-while-busy"},
	{"ends-at-sigterm", "process/outlives-signals"},
	{"ends-at-sighup", "process/outlives-signals"},
	{"outlives-its-host", "process/dies-with-its-host"},
	{"reads-standard-input", "process/reads-no-standard-input"},
	{"writes-files-for-all", "process/keeps-its-files-private"},
	{"leaves-a-lock-in-configure", "process/survives-a-kill-while-it-configures"},
	{"ends-at-an-unknown-method", "process/survives-bad-messages"},
	{"leaks-memory", "process/leaks-nothing"},
	{"leaks-a-goroutine", "process/leaks-nothing"},
	{"leaks-a-descriptor", "process/leaks-nothing"},
	{"falls-ill", "handshake/is-healthy"},
	{"logs-a-password", "logs/hold-no-secret"},
	{"logs-a-hash", "logs/hold-no-secret"},
	{"prints-a-hash-to-stderr", "logs/hold-no-secret"},
	{"prints-a-hash-to-stdout", "logs/hold-no-secret"},
	{"tells-a-password", "logs/refusals-tell-no-secret"},
	{"prints-to-standard-output", "logs/leave-standard-output-alone"},
	{"logs-endless-lines", "logs/are-bounded-lines"},
}

// TestWrongFromTheStart shows the same of faults that an executable has before it
// is configured, and that its name says.
func TestWrongFromTheStart(t *testing.T) {
	executable := hosttest.BuildPlain(t, "./host/verify/testdata/wrong")
	for _, w := range []wrong{
		{"wants-tls", "handshake/serves-without-tls"},
		{"serves-strangers", "handshake/refuses-strangers"},
		{"knows-one-version", "handshake/chooses-a-version-that-it-speaks"},
		{"says-nothing-to-a-person", "handshake/tells-a-person"},
		{"greets-a-person", "handshake/tells-a-person"},
		{"waits-for-a-person", "handshake/tells-a-person"},
		{"right", "handshake/says-where-it-serves"},
		{"right", "handshake/serves-without-tls"},
		{"right", "handshake/refuses-strangers"},
		{"right", "handshake/chooses-a-version-that-it-speaks"},
		{"right", "handshake/tells-a-person"},
	} {
		t.Run(w.fault+"/"+w.by, func(t *testing.T) {
			named := filepath.Join(t.TempDir(), w.fault)
			if err := os.Link(executable, named); err != nil {
				t.Fatal(err)
			}
			if r := verified(t, named, []string{w.by}); w.fault == "right" {
				wantPassed(t, r)
			} else {
				wantFailed(t, r)
			}
		})
	}
}
