package main_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// verifyProgress matches the line that is drawn, and what erases it.
var verifyProgress = regexp.MustCompile(`\d+ of \d+ cases, now [a-z0-9/' -]+(\^C)?\r +\r`)

// TestPluginVerifyListOnATerminal shows that what is long fits the width.
func TestPluginVerifyListOnATerminal(t *testing.T) {
	t.Parallel()
	lines := printed(t, invocation{args: []string{"plugin", "verify", "--list", "--run", "^start/describes-itself$"}}, 36)
	if len(lines) < 4 || lines[0] != "start/describes-itself" {
		t.Errorf("it says %q", lines)
	}
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line, "    ") || len(line) > 36 {
			t.Errorf("a line is %q", line)
		}
	}
}

// TestPluginVerifyOnATerminal shows how far it is, and that Ctrl-C ends it with
// what is known.
func TestPluginVerifyOnATerminal(t *testing.T) {
	t.Parallel()
	s := open(t, invocation{args: []string{"plugin", "verify", "bolt", "--run", "^(handshake|grant|process)/"}})
	s.awaitThat(regexp.MustCompile(`\b[1-9]\d* of \d+ cases, now `).MatchString, "[1-9] of … cases")
	s.types("", "\x03")
	_ = s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d: %q", code, s.text())
	}
	s.awaitText("ERROR: Interrupted; ")
	said := verifyProgress.ReplaceAllString(s.text(), "")
	if !regexp.MustCompile(`(?s)\nbolt \S+: \d+ passed, 0 failed, 0 unsupported, in \S+\nERROR: Interrupted; \d+ of \d+ cases done\n$`).MatchString(said) {
		t.Errorf("it says %q", said)
	}
	if status := s.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		t.Errorf("it was ended by %v", status.Signal())
	}
}
