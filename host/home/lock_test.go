package home_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/home"
)

// Run with holdVariable set, the test binary is a host that holds that home
// until its standard input ends; "-" holds none.
const holdVariable = "HOME_TEST_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(holdVariable); path != "" {
		hold(path)
		return
	}
	os.Exit(m.Run())
}

func hold(path string) {
	if path != "-" {
		h, err := home.Open(path)
		if err == nil {
			_, err = h.Lock()
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

// child starts a process that holds the home, and waits until it does.
func child(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "--init-root-password", "hunter2")
	c.Env = append(os.Environ(), holdVariable+"="+path)
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return c
}

func TestLock(t *testing.T) {
	h := open(t)
	unlock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Lock()
	if held, ok := errors.AsType[*home.HeldError](err); !ok || held.PID != os.Getpid() || held.Home != h.Path() {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	unlock()
	unlock, err = h.Lock()
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	unlock()
}

func TestLockOtherProcess(t *testing.T) {
	h := open(t)
	c := child(t, h.Path())
	_, err := h.Lock()
	held, ok := errors.AsType[*home.HeldError](err)
	if !ok || held.PID != c.Process.Pid {
		t.Fatalf("got %v, want the pid %d", err, c.Process.Pid)
	}
	if _, proc := os.Stat("/proc/self/comm"); proc == nil {
		// The kernel cuts a command's name to 15 bytes.
		name := filepath.Base(c.Path)
		name = name[:min(len(name), 15)]
		if want := fmt.Sprintf("held by process %d (%s); stop it", c.Process.Pid, name); !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the holder's arguments: %v", err)
	}
	c.Process.Kill()
	c.Wait()
	unlock, err := h.Lock()
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	unlock()
}

func TestLockNotInherited(t *testing.T) {
	h := open(t)
	unlock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	child(t, "-")
	unlock()
	unlock, err = h.Lock()
	if err != nil {
		t.Fatalf("a child holds on to the lock: %v", err)
	}
	unlock()
}
