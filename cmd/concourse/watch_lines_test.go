package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// Without a terminal a watch prints one listing after the other, and an
// interruption is how it ends.
func TestWatchLines(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	h.Admin()
	for name, c := range map[string]struct {
		in     invocation
		signal syscall.Signal
		enough func(string) bool
	}{
		"Table": {
			in: as(h, "sessions", "--watch", "--interval", "100ms"), signal: syscall.SIGINT,
			enough: regexp.MustCompile(`\A20\S+Z\nUSERNAME .*\nadmin .*\n\n20\S+Z\nUSERNAME .*\nadmin .*\n\n`).MatchString,
		},
		"TableOfNone": {
			in: as(h, "sessions", "--watch", "--interval", "100ms", "--account", "nobody"), signal: syscall.SIGTERM,
			enough: regexp.MustCompile(`\A20\S+Z\nnone\n\n20\S+Z\nnone\n\n`).MatchString,
		},
		"JSON": {
			in: as(h, "users", "sessions", "--watch", "--interval", "100ms", "--format", "json", "--limit", "1"), signal: syscall.SIGTERM,
			enough: func(out string) bool {
				lines := strings.SplitAfter(out, "\n")
				for _, line := range lines[:len(lines)-1] {
					var rows []map[string]any
					if err := json.Unmarshal([]byte(line), &rows); err != nil || len(rows) != 1 || rows[0]["username"] != "admin" {
						t.Errorf("a line is %q", line)
					}
				}
				return len(lines) > 3
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, c.in)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			for lines := bufio.NewReader(stdout); !c.enough(out.String()); {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatalf("it ended (%v) after %q: %s", err, out.String(), stderr.String())
				}
				out.WriteString(line)
			}
			cmd.Process.Signal(c.signal)
			io.Copy(io.Discard, stdout)
			finished(t, cmd, cmd.Wait(), &bytes.Buffer{}, &stderr).expect(t, 0, "", "")
		})
	}
}

// A host that goes away ends it: whoever reads the lines decides what is next.
func TestWatchLines_ErrHostGone(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	cmd := command(t, as(h, "sessions", "--watch", "--interval", "100ms"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(stdout).ReadString('\n')
	h.Kill()
	io.Copy(io.Discard, stdout)
	o := finished(t, cmd, cmd.Wait(), &bytes.Buffer{}, &stderr)
	if o.code != 7 || !strings.HasPrefix(o.stderr, "ERROR: ") {
		t.Errorf("exit code %d, %q", o.code, o.stderr)
	}
}
