package hosttest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Command returns the command, to be run by the test as it likes.
func (h *Host) Command(args ...string) *exec.Cmd {
	h.t.Helper()
	cmd := exec.Command(filepath.Join(Bin(h.t), "concourse"), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.Home, "CONCOURSE_HOME=" + h.Home, "GORACE=atexit_sleep_ms=0"}
	return cmd
}

// Outcome is what one command came to.
type Outcome struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a command as the first administrator, with the text as its standard
// input.
func (h *Host) Run(stdin string, args ...string) Outcome {
	h.t.Helper()
	cmd := h.Command(args...)
	cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+Password)
	return h.RunCommand(cmd, stdin)
}

// RunCommand runs the command with the text as its standard input.
func (h *Host) RunCommand(cmd *exec.Cmd, stdin string) Outcome {
	h.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			h.t.Errorf("%v: %v", cmd.Args, err)
			return Outcome{Code: -1}
		}
	}
	return Outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
