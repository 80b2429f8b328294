package supervisor_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// kept is a log.
type kept struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(p)
}

// saysAbout returns the line that says why a change has no known outcome.
func (k *kept) saysAbout(id account.RequestID) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for line := range strings.Lines(k.text.String()) {
		if strings.Contains(line, "whether it was carried out") && strings.Contains(line, id.String()) {
			return line
		}
	}
	return ""
}

// TestUncertainAnswers: what a plugin answers to a change, and nobody can take
// for a change or a refusal, leaves the outcome unknown; its cause is in the log.
func TestUncertainAnswers(t *testing.T) {
	t.Parallel()
	o, log := options(t), &kept{}
	o.Logger = hclog.New(&hclog.LoggerOptions{Output: io.MultiWriter(log, &testLog{t: t})})
	s := start(t, o)
	told := func(t *testing.T, id account.RequestID, c account.Change, err error, cause string) {
		t.Helper()
		wantKind(t, err, account.KindOutcomeUnknown, "ask again with --request-id "+id.String())
		if account.ReasonOf(err) != account.ReasonOutcomeUnknown || c.Changed {
			t.Errorf("reason %q, change %+v", account.ReasonOf(err), c)
		}
		if line := log.saysAbout(id); !strings.Contains(line, cause) {
			t.Errorf("the log says %q, want %q", line, cause)
		}
	}
	for username, cause := range map[string]string{
		"internal": "plugin backend: internal error",
		"panic":    "plugin backend: internal error",
		"unknown":  "the outcome is unknown",
		"huge":     "message larger than max",
		"stranger": `plugin backend answered create with the account \"somebody\" instead of \"stranger\"`,
		"nobody":   `plugin backend answered create with the account \"\" instead of \"nobody\"`,
	} {
		t.Run("Create/"+username, func(t *testing.T) {
			in := newInvocation()
			c, err := s.Create(t.Context(), in, account.Create{Username: username, Role: account.User})
			told(t, in.RequestID, c, err, cause)
		})
	}
	t.Run("Apply", func(t *testing.T) {
		in := newInvocation()
		a, err := s.Apply(t.Context(), in, account.Desired{Username: "another"})
		told(t, in.RequestID, a.Change, err, "plugin backend answered apply with another account than it was before")
	})
	for username, cause := range map[string]string{
		"internal": "plugin backend: internal error",
		"jeff":     "plugin backend answered recover with the account",
	} {
		t.Run("Recover/"+username, func(t *testing.T) {
			id := account.NewRequestID(time.Now())
			c, err := s.Recover(t.Context(), account.Recovery{Username: username, RequestID: id})
			told(t, id, c, err, cause)
		})
	}
	t.Run("Initialize", func(t *testing.T) {
		id := account.NewRequestID(time.Now())
		_, err := s.Initialize(t.Context(), account.FirstAdministrator{Username: "internal", RequestID: id})
		told(t, id, account.Change{}, err, "plugin backend: internal error")
	})
	if st := s.Status(); st.Restarts != 0 {
		t.Errorf("status %+v", st)
	}
}
