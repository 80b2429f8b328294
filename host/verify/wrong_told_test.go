package verify_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// TestTold shows that a failed case says why: what its processes logged, and
// what became of them.
func TestTold(t *testing.T) {
	executable := hosttest.BuildPlain(t, "./host/verify/testdata/wrong")
	tells := func(fault, by string, told func(r result) []string, want string) {
		t.Helper()
		r := verified(t, executable, []string{by}, "--set", "fault="+fault)
		wantFailed(t, r)
		if said := strings.Join(told(r[0]), "\n"); !strings.Contains(said, want) {
			t.Errorf("%s of %s tells %q, want %q", by, fault, said, want)
		}
	}
	tells("fails-to-write", "grant/is-kept", func(r result) []string { return r.Log }, "the disk is full")
	tells("forgets-records-at-restart", "durability/everything-survives-the-process", func(r result) (events []string) {
		for _, e := range r.Exchanges {
			events = append(events, e.Event)
		}
		return events
	}, "process 2 was killed\nprocess 3 was started, on the store of process 1")
	tells("prints-a-hash-to-stderr", "logs/hold-no-secret", func(r result) []string { return r.Log }, "***")
}

// TestNoAdministrator shows how the command asks for one.
func TestNoAdministrator(t *testing.T) {
	cmd := exec.Command(hosttest.BuildPlain(t, "./cmd/concourse"), "plugin", "verify", "--set", "fault=cannot-change",
		hosttest.BuildPlain(t, "./host/verify/testdata/wrong"))
	out, _ := cmd.CombinedOutput()
	const want = "ERROR: This backend cannot change accounts; name an administrator of it: --administrator NAME --password-file FILE\n"
	if cmd.ProcessState.ExitCode() != 2 || string(out) != want {
		t.Errorf("%v: %q, want exit status 2 and %q", cmd.ProcessState, out, want)
	}
}
