package main_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

// invocation is one run of the command.
type invocation struct {
	args  []string
	stdin string
	env   []string
}

// as returns an invocation by the first administrator, who is not asked who he
// is.
func as(h *hosttest.Host, args ...string) invocation {
	return invocation{args: args, env: []string{"CONCOURSE_HOME=" + h.Home, "CONCOURSE_PASSWORD=" + hosttest.Password}}
}

// asking returns an invocation by somebody who gives no credentials.
func asking(h *hosttest.Host, args ...string) invocation {
	return invocation{args: args, env: []string{"CONCOURSE_HOME=" + h.Home}}
}

type outcome struct {
	stdout, stderr string
	code           int
	maxRSS         int64 // KiB
}

func command(t *testing.T, in invocation) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, filepath.Join(hosttest.Bin(t), "concourse"), in.args...)
	// Without the option a race-enabled process sleeps a second before it exits.
	cmd.Env = append([]string{"HOME=" + t.TempDir(), "TZ=UTC", "GORACE=atexit_sleep_ms=0"}, in.env...)
	return cmd
}

func run(t *testing.T, in invocation) outcome {
	t.Helper()
	cmd := command(t, in)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in.stdin), &stdout, &stderr
	return finished(t, cmd, cmd.Run(), &stdout, &stderr)
}

func finished(t *testing.T, cmd *exec.Cmd, err error, stdout, stderr *bytes.Buffer) outcome {
	t.Helper()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	if strings.Contains(stderr.String(), "DATA RACE") {
		t.Errorf("the race detector reports:\n%s", stderr)
	}
	return outcome{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode(), maxRSS: maxRSS(cmd.ProcessState)}
}

// expect checks an outcome exactly.
func (o outcome) expect(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if o.code != code || o.stdout != stdout || o.stderr != stderr {
		t.Errorf("exit code %d, want %d\nstdout: %q\n  want: %q\nstderr: %q\n  want: %q", o.code, code, o.stdout, stdout, o.stderr, stderr)
	}
}
