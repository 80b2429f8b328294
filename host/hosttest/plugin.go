package hosttest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// PluginPID returns the plugin's process id, once it runs.
func (h *Host) PluginPID() int {
	h.t.Helper()
	c := h.Dial()
	defer c.Close()
	pid := 0
	Await(h.t, "a plugin runs", func() bool {
		s, err := c.PluginStatus(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		pid = s.PID
		return pid != 0
	})
	return pid
}

// SignalPlugin sends a signal to the plugin, once one runs, and returns its
// process id.
func (h *Host) SignalPlugin(s syscall.Signal) (pid int) {
	h.t.Helper()
	Await(h.t, "the plugin could be signalled", func() bool {
		pid = h.PluginPID()
		err := syscall.Kill(pid, s)
		if err != nil && !errors.Is(err, syscall.ESRCH) { // it may just have ended
			h.t.Fatal(err)
		}
		return err == nil
	})
	return pid
}

// StopPlugin stops the plugin with SIGSTOP, and returns when no thread of it
// runs any more. SIGCONT continues it. The host takes it for hung after a while
// and starts another, which is not stopped.
func (h *Host) StopPlugin() {
	h.t.Helper()
	Await(h.t, "the plugin is stopped", func() bool {
		pid := h.SignalPlugin(syscall.SIGSTOP)
		Await(h.t, "the plugin's threads are stopped", func() bool { return !Alive(pid) || inState(pid, 'T') })
		return Alive(pid)
	})
}

// inState reports whether every thread of a process is in the state, by its
// letter in /proc.
func inState(pid int, state byte) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if _, after, _ := strings.Cut(string(stat), ") "); err == nil && (after == "" || after[0] != state) {
			return false
		}
	}
	return true
}

// KillPlugin ends the plugin with SIGKILL and returns its process id.
func (h *Host) KillPlugin() int {
	h.t.Helper()
	return h.SignalPlugin(syscall.SIGKILL)
}

// Alive reports whether a process runs. One that has ended and waits to be
// reaped does not.
func Alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || !strings.HasPrefix(state, "Z")
}
