package main_test

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestGenerateOnATerminal(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	s := open(t, as(h, "users", "create", "--generate"))
	s.types("Name for new user: ", "carl\r")
	s.types("Role for carl [ADMIN|USER]: ", "user\r")
	_ = s.cmd.Wait()
	shown := regexp.MustCompile(`(?m)^Password: (\S{29})$`)
	s.awaitThat(shown.MatchString, "Password: …")
	s.ends(0, "Name for new user: carl\nRole for carl [ADMIN|USER]: user\nNew user 'carl' has been created\n"+
		shown.FindString(s.text())+"\nIt is shown only this once\n")
	c := h.Admin()
	ok, err := c.CheckPassword(t.Context(), account.Password{Username: "carl", Password: account.Secret(shown.FindStringSubmatch(s.text())[1])})
	if err != nil || !ok {
		t.Errorf("it is not what is shown (%v)", err)
	}
}

// The plugin hangs once the command has logged in, and the host gives up on the
// answer. What may be the password by now is not lost: with it, asking again
// under the request id tells how it stands.
func TestGenerateOutcomeUnknown(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t, "call_timeout: 2s")
	c := h.Admin()
	jeff(t, c)
	for name, how := range map[string]struct {
		options         []string
		printed, failed *regexp.Regexp
	}{
		"Plain": {
			nil,
			regexp.MustCompile(`^Password, if it has been set: (\S{29})\nTo ask again, give it with --set-password-file in place of --generate\n$`),
			regexp.MustCompile(`\nERROR: The outcome is unknown; ask again with --request-id ([0-9a-f-]{36}) within an hour\n$`),
		},
		"JSON": {
			[]string{"--format", "json"},
			regexp.MustCompile(`^\{"username":"jeff","password":"(\S{29})"\}\n$`),
			regexp.MustCompile(`^\{"error":\{"kind":"outcome_unknown",.*"request_id":"([0-9a-f-]{36})"\}\}\n$`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, as(h, append([]string{"users", "password", "--generate"}, how.options...)...))
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for loggedIn := false; !loggedIn; {
				loggedIn = len(sessionsOf(t, h)) > 1 // c's is the other
			}
			h.SignalPlugin(syscall.SIGSTOP)
			if _, err := io.WriteString(stdin, "jeff\n"); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			h.SignalPlugin(syscall.SIGCONT)
			password, id := how.printed.FindStringSubmatch(stdout.String()), how.failed.FindStringSubmatch(stderr.String())
			if cmd.ProcessState.ExitCode() != 12 || password == nil || id == nil {
				t.Fatalf("%v, stdout %q, stderr %q", cmd.ProcessState, stdout.String(), stderr.String())
			}
			again := as(h, "users", "password", "jeff", "--set-password-file", "-", "--request-id", id[1])
			again.stdin = password[1] + "\n"
			o := run(t, again)
			for o.code == 7 { // the host may have given up on the plugin, and start it anew
				o = run(t, again)
			}
			o.expect(t, 0, "Password for user 'jeff' has been set\n", "")
			expectJeff(t, c, account.User, true, password[1])
		})
	}
}

// sessionsOf returns the live sessions, as the operator sees them.
func sessionsOf(t *testing.T, h *hosttest.Host) (all []map[string]any) {
	t.Helper()
	o := run(t, asking(h, "sessions", "--format", "json"))
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil {
		t.Fatalf("%v: %q, %q", err, o.stdout, o.stderr)
	}
	return all
}

// An error that says that nothing was changed shows no password; one that does
// not say so does.
func TestGenerateRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range account.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			refusal := &account.Error{Kind: kind, Reason: "WHY", Message: "it is so"}
			if kind == account.KindOutcomeUnknown {
				refusal.Reason, refusal.RequestID = account.ReasonOutcomeUnknown, requestID
			}
			f := serve(t, &fakeHost{refusal: refusal})
			o := run(t, f.as("users", "password", "bob", "--generate"))
			if shown := strings.HasPrefix(o.stdout, "Password, if it has been set: "); shown != kind.Uncertain() || !shown && o.stdout != "" {
				t.Errorf("it prints %q", o.stdout)
			}
			if !strings.HasPrefix(o.stderr, "ERROR: ") || strings.Count(o.stderr, "\n") != 1 || strings.Contains(o.stderr, "assword") {
				t.Errorf("it complains %q", o.stderr)
			}
		})
	}
}
