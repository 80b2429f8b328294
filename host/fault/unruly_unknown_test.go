package fault_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestUnrulyUnknown: a change whose answer the host cannot accept ends with exit
// code 12 and its request id, its line in the audit log says the same, and asked
// again under the id it has the outcome that was recorded (rules 2 and 12). A
// read with such an answer is an internal error.
func TestUnrulyUnknown(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t, "plugin.path: "+hosttest.Build(t, "./host/testdata/unruly"))
	admin := h.Admin()
	for _, fault := range []string{"stranger", "nobody", "empty", "noise", "huge", "panic"} {
		t.Run(fault, func(t *testing.T) {
			name := "jeff-" + fault
			if _, err := admin.Create(t.Context(), account.RequestID{}, account.Create{Username: name, Password: account.Secret(secret), Role: account.User}); err != nil {
				t.Fatal(err)
			}
			out := spoiledCommand(t, h, fault, name, "users", "suspend", "--format", "json")
			var told struct {
				Error struct {
					Kind, Reason string
					RequestID    string `json:"request_id"`
				}
			}
			if err := json.Unmarshal([]byte(out.Stderr), &told); err != nil || out.Code != 12 || told.Error.Kind != "outcome_unknown" || told.Error.Reason != "OUTCOME_UNKNOWN" {
				t.Fatalf("%+v, %v; want exit code 12 and outcome_unknown", out, err)
			}
			if e := lineOf(t, h, told.Error.RequestID); e.Outcome != "outcome_unknown" || e.Changed != nil || e.Target != name {
				t.Errorf("the audit log says %+v", e)
			}
			if !strings.Contains(h.Log(), told.Error.RequestID) {
				t.Errorf("the host's log does not say why:\n%s", h.Log())
			}
			again := h.Run("", "users", "suspend", name, "--request-id", told.Error.RequestID, "--format", "json")
			if again.Code != 0 || !strings.Contains(again.Stdout, `"enabled":false`) || !strings.Contains(again.Stdout, `"changed":true`) {
				t.Errorf("asked again: %+v", again)
			}
			if e := lineOf(t, h, told.Error.RequestID); e.Outcome != audit.OK || e.Changed == nil || !*e.Changed || !strings.HasPrefix(e.Detail, "repeated") {
				t.Errorf("asked again, the audit log says %+v", e)
			}
			if fault == "noise" { // which may be taken for a connection that broke
				return
			}
			if out := spoiledCommand(t, h, fault, name, "users", "show", "--format", "json"); out.Code != 1 || !strings.Contains(out.Stderr, `"kind":"internal"`) {
				t.Errorf("a read: %+v, want exit code 1", out)
			}
		})
	}
	h.Stop()
}

// secret is a password of theirs.
const secret = "staple and battery"

// spoiledCommand runs a command that asks for a name, and is given it once the
// plugin spoils what it answers. Its login is not spoiled.
func spoiledCommand(t *testing.T, h *hosttest.Host, fault, name string, args ...string) hosttest.Outcome {
	t.Helper()
	before := sessions(t, h)
	cmd := h.Command(args...)
	cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+hosttest.Password)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	hosttest.Await(t, "the command has logged in", func() bool { return sessions(t, h) > before })
	order(t, h, fault+" 0s 1")
	fmt.Fprintln(in, name)
	_ = cmd.Wait()
	behave(t, h)
	hosttest.Await(t, "its session has ended", func() bool { return sessions(t, h) == before })
	return hosttest.Outcome{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// sessions returns how many the first administrator has.
func sessions(t *testing.T, h *hosttest.Host) (n int) {
	t.Helper()
	c := h.Dial()
	defer c.Close()
	for batch, err := range c.OperatorSessions(t.Context(), management.SessionListing{SessionFilter: management.SessionFilter{Account: hosttest.Administrator}}) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(batch)
	}
	return n
}

// lineOf returns the last line about a change.
func lineOf(t *testing.T, h *hosttest.Host, id string) (last audit.Entry) {
	t.Helper()
	for _, e := range h.Audit() {
		if e.Event == audit.Change && e.RequestID == id {
			last = e
		}
	}
	return last
}
