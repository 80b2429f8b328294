package host_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// unknownOutcomes brings both kinds about: the host dies after the change was
// committed and before it was answered, and before it was committed.
func unknownOutcomes(t *testing.T) {
	h := hosttest.Start(t)
	create(t, h.Admin(), "jeff", account.User)
	granted := func(environment string) bool {
		return show(t, h.Admin(), "jeff").Grants.Holds(environment, account.Read)
	}
	resolve := func(environment string, unknown error) {
		t.Helper()
		wantKind(t, environment, unknown, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
		id, err := idIn(unknown)
		if err != nil {
			t.Fatal(err)
		}
		admin := h.Admin()
		for range 2 {
			if r, err := grant(environment)(t.Context(), admin, id, "jeff"); err != nil || !r.Changed || !r.Grants.Holds(environment, account.Read) {
				t.Errorf("%s, asked again: %+v, %v; want the outcome", environment, r, err)
			}
		}
	}

	t.Run("Committed", func(t *testing.T) {
		admin := h.Admin()
		h.StopAuditLog(0)
		_, err := grant("committed")(t.Context(), admin, anew, "jeff")
		h.Kill()
		h.Start()
		if !granted("committed") {
			t.Fatal("the change was not committed, so this is another case than it should be")
		}
		resolve("committed", err)
	})
	t.Run("NotCommitted", func(t *testing.T) {
		admin := h.Admin()
		h.StopPlugin()
		outcome := make(chan error, 1)
		go func() {
			_, err := grant("not_committed")(t.Context(), admin, anew, "jeff")
			outcome <- err
		}()
		awaitCall(t, h, hosttest.Administrator, "Grant")
		h.Kill()
		err := <-outcome
		h.Start()
		if granted("not_committed") {
			t.Fatal("the change was committed, so this is another case than it should be")
		}
		resolve("not_committed", err)
	})
	t.Run("CommandLine", func(t *testing.T) { unknownOutcomeOfCommand(t, h, granted) })
}

// unknownOutcomeOfCommand: the command exits with 12 and names the id, and with
// --request-id finds out.
func unknownOutcomeOfCommand(t *testing.T, h *hosttest.Host, granted func(string) bool) {
	before := len(sessionsOf(t, h, hosttest.Administrator))
	cmd := h.Command("users", "grant", "--format", "json", "--permission", "read", "-e", "typed")
	cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+hosttest.Password)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// It logs in, which the plugin must answer, and asks for the username.
	hosttest.Await(t, "the command has logged in", func() bool { return len(sessionsOf(t, h, hosttest.Administrator)) > before })
	h.StopPlugin()
	fmt.Fprintln(in, "jeff")
	awaitCall(t, h, hosttest.Administrator, "Grant")
	h.Kill()
	cmd.Wait()
	var told struct {
		Error struct {
			Kind      string
			RequestID string `json:"request_id"`
		}
	}
	if err := json.Unmarshal([]byte(stderr.String()), &told); err != nil || cmd.ProcessState.ExitCode() != 12 || told.Error.Kind != "outcome_unknown" {
		t.Fatalf("exit code %d, %q, %v; want 12 and outcome_unknown", cmd.ProcessState.ExitCode(), stderr.String(), err)
	}
	h.Start()
	for range 2 {
		out := h.Run("", "users", "grant", "jeff", "--permission", "read", "-e", "typed", "--request-id", told.Error.RequestID)
		if out.Code != 0 || !strings.HasPrefix(out.Stdout, "Successfully granted") {
			t.Errorf("asked again: %+v", out)
		}
	}
	if !granted("typed") {
		t.Error("asked again, and it is not granted")
	}
}

// sessionsOf returns an account's live sessions, straight from the host.
func sessionsOf(t *testing.T, h *hosttest.Host, username string) []account.Session {
	t.Helper()
	return sessionsListed(t, h, management.SessionListing{SessionFilter: management.SessionFilter{Account: username}})
}

func sessionsListed(t *testing.T, h *hosttest.Host, l management.SessionListing) (rows []account.Session) {
	t.Helper()
	c := h.Dial()
	defer c.Close()
	for batch, err := range c.OperatorSessions(t.Context(), l) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, batch...)
	}
	return rows
}

// awaitCall waits until the host has let in a call of an account.
func awaitCall(t *testing.T, h *hosttest.Host, username, method string) {
	t.Helper()
	hosttest.Await(t, fmt.Sprintf("'%s' is in a call of %s", username, method), func() bool {
		for _, row := range sessionsOf(t, h, username) {
			if row.CurrentCall != nil && row.CurrentCall.Method == method {
				return true
			}
		}
		return false
	})
}
