package fault_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// failing is what the kernel answers to some calls on one file. The calls are
// not carried out.
type failing struct {
	file  string // below the home
	calls string // as strace lists them
	errno string
	when  string // which of each thread's calls, as strace has it; empty: all
}

func (f failing) String() string { return fmt.Sprintf("%s of %s: %s", f.calls, f.file, f.errno) }

func (f failing) arguments(home, out string) []string {
	inject := "inject=" + f.calls + ":error=" + f.errno
	if f.when != "" {
		inject += ":when=" + f.when
	}
	return []string{"strace", "-f", "-s", "0", "-o", out, "-P", filepath.Join(home, f.file), "-e", "trace=" + f.calls, "-e", inject}
}

// injected returns how many calls strace has failed.
func injected(out string) int {
	text, _ := os.ReadFile(out)
	return strings.Count(string(text), "(INJECTED)")
}

// traceable is the command under which a host runs that this user is to trace.
// Hosts forbid that to others than root, and this user is root in a namespace of
// the host's own.
func traceable() []string {
	if os.Geteuid() == 0 {
		return nil
	}
	return []string{"unshare", "--user", "--map-root-user"}
}

// failDisk makes the calls of a host and its plugin fail, those of plugins that
// it starts included, until heal is called; failed returns how many have.
func failDisk(t *testing.T, h *hosttest.Host, f failing) (failed func() int, heal func()) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "strace")
	arguments := f.arguments(h.Home, out)
	for _, pid := range []int{h.PluginPID(), h.PID()} {
		arguments = append(arguments, "-p", fmt.Sprint(pid))
	}
	tracer := exec.Command(arguments[0], arguments[1:]...)
	told, err := tracer.StderrPipe()
	if err == nil {
		err = tracer.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	attached, said := make(chan struct{}), &strings.Builder{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(told); lines.Scan(); {
			fmt.Fprintln(said, lines.Text())
			if strings.Contains(lines.Text(), fmt.Sprintf("Process %d attached", h.PID())) {
				close(attached)
			}
		}
	}()
	select {
	case <-attached:
	case <-ended:
		tracer.Wait()
		t.Fatalf("strace has not attached: %s", said)
	case <-time.After(time.Minute):
		tracer.Process.Kill()
		t.Fatal("strace has not attached within a minute")
	}
	return func() int { return injected(out) }, func() {
		tracer.Process.Signal(syscall.SIGINT)
		<-ended
		tracer.Wait()
	}
}
