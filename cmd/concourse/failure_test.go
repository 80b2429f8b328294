package main_test

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for kind, want := range map[account.Kind]int{
		account.KindInternal: 1, account.KindInvalid: 2, account.KindNotAuthenticated: 3, account.KindNotPermitted: 4,
		account.KindNotFound: 5, account.KindAlreadyExists: 6, account.KindUnavailable: 7, account.KindRefused: 8,
		account.KindConflict: 9, account.KindUnsupported: 10, account.KindThrottled: 11, account.KindOutcomeUnknown: 12,
		account.KindInterrupted: 130,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			refusal := &account.Error{Kind: kind, Reason: "WHY", Message: "it is so"}
			if kind == account.KindOutcomeUnknown {
				refusal.Reason, refusal.RequestID = account.ReasonOutcomeUnknown, requestID
			}
			f, verb := serve(t, &fakeHost{refusal: refusal}), "suspend"
			if kind == account.KindInternal { // of a change it would say nothing
				verb = "show"
			}
			o := run(t, f.as("users", verb, "bob"))
			if o.code != want || o.stdout != "" || !strings.HasPrefix(o.stderr, "ERROR: I") || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("exit code %d, want %d; stdout %q, stderr %q", o.code, want, o.stdout, o.stderr)
			}
		})
	}
}

func TestJSONErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		code int
		want string
	}{
		"Throttled": {
			account.Throttled(1500 * time.Millisecond), 11,
			`{"error":{"kind":"throttled","reason":"","subject":"","message":"too many attempts; try again in 2s","retry_after":2}}`,
		},
		"OutcomeUnknown": {
			&account.Error{Kind: account.KindOutcomeUnknown, Reason: account.ReasonOutcomeUnknown, RequestID: requestID, Message: "unknown"}, 12,
			`{"error":{"kind":"outcome_unknown","reason":"OUTCOME_UNKNOWN","subject":"","message":"unknown","request_id":"` + requestID + `"}}`,
		},
		"Internal": {
			errors.New("disk on fire"), 12,
			`{"error":{"kind":"outcome_unknown","reason":"OUTCOME_UNKNOWN","subject":"","message":"internal error; the log of the server says more; the outcome is unknown; ask again with --request-id ` + requestID + ` within an hour","request_id":"` + requestID + `"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, &fakeHost{refusal: c.err})
			run(t, f.as("users", "enable", "bob", "--format", "json")).expect(t, c.code, "", c.want+"\n")
		})
	}
}

const outcomeUnknown = "ERROR: The outcome is unknown; ask again with --request-id " + requestID + " within an hour\n"

// A host that goes away in the middle of a change leaves the id to ask with.
func TestConnectionLostDuringAChange(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	defer close(over)
	f := serve(t, &fakeHost{hook: func(f *fakeHost) { f.hangUp(); <-over }})
	run(t, f.as("users", "delete", "bob")).expect(t, 12, "", outcomeUnknown)
}

// Once a change is under way, an interruption cannot say that nothing changed.
func TestInterruptedDuringAChange(t *testing.T) {
	t.Parallel()
	begun, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	f := serve(t, &fakeHost{hook: func(*fakeHost) { close(begun); <-over }})
	cmd := command(t, f.as("users", "suspend", "bob"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 12 || stderr.String() != outcomeUnknown {
		t.Errorf("%v, stderr %q, want %q", cmd.ProcessState, stderr.String(), outcomeUnknown)
	}
}
