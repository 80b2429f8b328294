package plugin_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/wire"
)

// TestDeath shows rule 10: no plugin outlives its host.
func TestDeath(t *testing.T) {
	t.Run("HostKilled", func(t *testing.T) {
		home := t.TempDir()
		host, pid := play(t, roleHost, home)
		if !alive(pid) {
			t.Fatalf("the plugin, process %d, does not run", pid)
		}
		host.Process.Kill()
		host.Wait()
		waitGone(t, pid)
		reopen(t, home)
	})
	t.Run("HostKilledOnAnySystem", func(t *testing.T) {
		parent, pid := play(t, roleParent)
		if !alive(pid) {
			t.Fatalf("process %d does not run", pid)
		}
		parent.Process.Kill()
		parent.Wait()
		waitGone(t, pid)
	})
	t.Run("HostGoneBeforeItBegan", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		cmd := exec.Command(executable)
		cmd.Env, cmd.Stdout = byHand(), w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			t.Errorf("it serves although nobody can hear where: %v", <-ended)
		}
	})
	t.Run("LeavesNoCore", func(t *testing.T) {
		cmd := exec.Command("sh", "-c", `ulimit -S -c "$(ulimit -H -c)"; exec "$0"`, executable)
		cmd.Env = append(byHand(), "PATH="+os.Getenv("PATH"), "GOTRACEBACK=crash")
		cmd.Dir = t.TempDir()
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		bufio.NewReader(out).ReadString('\n') // it serves
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid))
		if err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(string(limits)) {
			if rest, ok := strings.CutPrefix(line, "Max core file size"); ok && strings.Join(strings.Fields(rest), " ") != "0 0 bytes" {
				t.Errorf("core files may have %s", rest)
			}
		}
		cmd.Process.Signal(syscall.SIGABRT)
		err = cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.CoreDump() {
			t.Errorf("it dumped core: %v", err)
		}
	})
}

// play starts this executable in a role, and returns it with the pid that it
// prints.
func play(t *testing.T, role string, args ...string) (*exec.Cmd, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pluginVariable+"="+executable)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the %s said %q", role, line)
	}
	return cmd, pid
}

// byHand is the environment in which a host that wants no TLS starts a plugin.
func byHand() []string {
	return []string{
		wire.Handshake.MagicCookieKey + "=" + wire.Handshake.MagicCookieValue,
		"PLUGIN_PROTOCOL_VERSIONS=" + strconv.Itoa(wire.Protocol),
	}
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	for began := time.Now(); alive(pid); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 2*time.Second {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d was still there 2s after its host had died", pid)
		}
	}
}

// alive reports whether the process runs; one that only waits to be reaped by
// the system's first process does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest[0] != 'Z' && rest[0] != 'X'
}
