package host_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// promptly is less than what the host allows calls under way, and then the
// plugin, at its stop: whoever takes longer has waited for nothing.
const promptly = 8 * time.Second

// nothingLeft looks for what a host may not leave behind. The plugin's process
// id is 0 where the test does not know it.
func nothingLeft(t *testing.T, h *hosttest.Host, plugin int) {
	t.Helper()
	if _, err := os.Lstat(h.Socket()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if plugin != 0 && hosttest.Alive(plugin) {
		t.Errorf("the plugin, process %d, is left", plugin)
	}
	free, err := home.Open(h.Home)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := free.Lock()
	if err != nil {
		t.Errorf("the lock is left: %v", err)
		return
	}
	unlock()
	store, err := os.OpenFile(filepath.Join(h.Home, "accounts.db"), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return // no plugin came so far
	}
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := syscall.Flock(int(store.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Errorf("the store is held: %v", err)
	}
}

// With a client that is connected and does nothing.
func TestStop(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	plugin := h.PluginPID()
	h.Admin()
	began := time.Now()
	h.Stop()
	if took := time.Since(began); took > promptly {
		t.Errorf("with nothing under way it took %v", took)
	}
	nothingLeft(t, h, plugin)
	lines := h.Audit()
	var last []audit.Event
	for _, e := range lines[max(len(lines)-3, 0):] {
		last = append(last, e.Event)
		if e.Outcome != audit.OK {
			t.Errorf("a line says %+v", e)
		}
	}
	if want := []audit.Event{audit.PluginExited, audit.HostStopped, audit.AuditComplete}; !slices.Equal(last, want) {
		t.Errorf("the last lines are %v, want %v", last, want)
	}
}

// TestStopDuringStart tells hosts to stop while their plugin does not come up,
// and at any other moment of their start.
func TestStopDuringStart(t *testing.T) {
	t.Parallel()
	t.Run("PluginDoesNotComeUp", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		pidFile, plugin := filepath.Join(h.Home, "pid"), filepath.Join(h.Home, "silent")
		script := "#!/bin/sh\necho $$ >" + pidFile + ".new && mv " + pidFile + ".new " + pidFile + "\nexec sleep 600\n"
		if err := os.WriteFile(plugin, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		h.Configure("plugin:", "  path: "+plugin, "  start_timeout: 5m")
		host := launch(t, h)
		pid := 0
		hosttest.Await(t, "the plugin runs", func() bool {
			text, err := os.ReadFile(pidFile)
			pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
			return err == nil
		})
		began := time.Now()
		host.Process.Signal(syscall.SIGTERM)
		if err := host.Wait(); err != nil {
			t.Errorf("%v: %s", err, host.Stderr)
		}
		if took := time.Since(began); took > promptly {
			t.Errorf("it took %v", took)
		}
		nothingLeft(t, h, pid)
	})
	t.Run("AnyMoment", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		h.Start() // how long a start takes, without the first account
		h.Stop()
		began := time.Now()
		h.Start()
		whole := time.Since(began)
		h.Stop()
		const moments = 8
		for n := range moments {
			host := launch(t, h)
			time.Sleep(whole * time.Duration(n) / (moments - 1))
			host.Process.Signal(syscall.SIGTERM)
			err := host.Wait()
			state := host.ProcessState.Sys().(syscall.WaitStatus)
			if early := state.Signaled() && state.Signal() == syscall.SIGTERM && host.Stderr.(*bytes.Buffer).Len() == 0; err != nil && !early {
				t.Errorf("after %d/%d of a start: %v: %s", n, moments-1, err, host.Stderr)
			}
			nothingLeft(t, h, 0)
		}
		h.Start()
		h.Admin()
	})
}

// launch starts a host and does not wait until it is ready.
func launch(t *testing.T, h *hosttest.Host, env ...string) *exec.Cmd {
	t.Helper()
	cmd := h.Command("start")
	cmd.Args[0] = "tested"
	cmd.Env = append(append(cmd.Env, "CONCOURSE_INIT_ROOT_PASSWORD="+hosttest.Password), env...)
	cmd.Stderr = &bytes.Buffer{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

func TestSecondHost(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	out := h.Run("", "start")
	if want := fmt.Sprintf("is held by process %d (", h.PID()); out.Code != 1 || !strings.Contains(out.Stderr, want) || out.Stdout != "" {
		t.Errorf("the second: %+v, want %q", out, want)
	}
	h.Admin() // the first goes on
	h.Kill()
	h.Start() // and leaves no lock, however it ends
}

func TestNotify(t *testing.T) {
	t.Parallel()
	t.Run("ReadyAndStopping", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		path := filepath.Join(h.Home, "notify")
		systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer systemd.Close()
		told := func(want string) {
			t.Helper()
			systemd.SetReadDeadline(time.Now().Add(time.Minute))
			b := make([]byte, 1<<10)
			n, err := systemd.Read(b)
			if err != nil || string(b[:n]) != want {
				t.Fatalf("systemd was told %q, %v; want %q", b[:n], err, want)
			}
		}
		h.Env = []string{"NOTIFY_SOCKET=" + path}
		h.Start()
		told("READY=1")
		if _, err := h.Login(hosttest.Administrator, hosttest.Password); err != nil {
			t.Errorf("ready, and yet: %v", err)
		}
		h.Stop()
		told("STOPPING=1")
	})
	t.Run("NobodyListens", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		h.Env = []string{"NOTIFY_SOCKET=" + filepath.Join(h.Home, "gone")}
		h.Start()
		h.Admin()
		h.Stop()
		if n := strings.Count(h.Log(), "systemd could not be told"); n != 2 {
			t.Errorf("%d warnings, want 2", n)
		}
	})
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings []string
		mode     fs.FileMode
		want     string
	}{
		"UnknownKey":      {[]string{"lease: 5s", "leese: 3s"}, 0o600, `concourse.yaml:2: unknown setting "leese"; did you mean lease?`},
		"BadValue":        {[]string{"", "lease: soon"}, 0o600, `concourse.yaml:2: lease: "soon" is not a duration`},
		"NotYAML":         {[]string{"lease: 5s", "lease: [", "x"}, 0o600, "concourse.yaml:"},
		"AnybodyMayWrite": {[]string{"lease: 5s"}, 0o602, "everybody may write to it; run chmod o-w"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hosttest.New(t, c.settings...)
			if err := os.Chmod(filepath.Join(h.Home, "concourse.yaml"), c.mode); err != nil {
				t.Fatal(err)
			}
			out := h.Run("", "start")
			if out.Code != 2 || !strings.Contains(out.Stderr, c.want) || out.Stdout != "" {
				t.Errorf("%+v, want %q", out, c.want)
			}
			nothingLeft(t, h, 0)
			if _, err := os.Stat(filepath.Join(h.Home, "accounts.db")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the plugin was started: %v", err)
			}
		})
	}
	t.Run("ASecretThatOthersMayRead", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t, "init_root_password: "+secret)
		if err := os.Chmod(filepath.Join(h.Home, "concourse.yaml"), 0o644); err != nil {
			t.Fatal(err)
		}
		h.Start()
		if log := h.Log(); !strings.Contains(log, "holds a password, and others may read it; run chmod 600") || strings.Contains(log, secret) {
			t.Errorf("the log says:\n%s", log)
		}
	})
}

// A home whose store another process holds is told as what it is.
func TestStoreHeld(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	h.Stop()
	store, err := os.OpenFile(filepath.Join(h.Home, "accounts.db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := syscall.Flock(int(store.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	h.Configure("plugin:", "  start_timeout: 2s")
	out := h.Run("", "start")
	if out.Code != 7 || out.Stderr == "" {
		t.Errorf("%+v", out)
	}
	store.Close()
	nothingLeft(t, h, 0)
	var outcome string
	for _, e := range h.Audit() {
		if e.Event == audit.HostStopped {
			outcome = e.Outcome
		}
	}
	if outcome != account.KindUnavailable.String() {
		t.Errorf("the host's end is written down as %q", outcome)
	}
}
