package soak_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// load is a process that floods, or computes, until it is ended.
type load struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	out   bytes.Buffer
}

// tally is what a load says that it came to.
type tally struct {
	Attempts int
	Answers  map[string]int
}

// self makes startLoad's process one of the tests' own user.
const self = -1

// startLoad starts the executable of host/testdata/flood as the user.
func startLoad(t *testing.T, uid int, args ...string) *load {
	t.Helper()
	l := &load{t: t, cmd: exec.Command(hosttest.Build(t, "./host/testdata/flood"), args...)}
	if uid != self {
		l.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: socketGroup}}
	}
	var err error
	if l.stdin, err = l.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	l.cmd.Stdout, l.cmd.Stderr = &l.out, os.Stderr
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.stdin.Close()
		l.cmd.Wait()
	})
	return l
}

func (l *load) pid() int { return l.cmd.Process.Pid }

// end ends the load and returns what it came to.
func (l *load) end() (result tally) {
	l.t.Helper()
	l.stdin.Close()
	if err := l.cmd.Wait(); err != nil {
		l.t.Fatalf("%v: %v", l.cmd.Args, err)
	}
	if err := json.Unmarshal(l.out.Bytes(), &result); err != nil {
		l.t.Fatalf("%v printed %q: %v", l.cmd.Args, l.out.String(), err)
	}
	return result
}

// socketGroup may use the management socket of hosts that are flooded by other
// users.
const socketGroup = 64321
