package plugin_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestServe(t *testing.T) {
	t.Run("ServesUntilItIsShutDown", func(t *testing.T) {
		home := t.TempDir()
		p := launch(t, home, nil)
		admin := p.initialize(t)
		change, err := p.users.Create(t.Context(), account.Invocation{
			RequestID: account.NewRequestID(time.Now()), Caller: admin, Host: "test",
		}, account.Create{Username: "jeff", Password: account.Secret("correct horse"), Role: account.User})
		if err != nil || !change.Changed || change.Account.Username != "jeff" {
			t.Errorf("create: %+v, %v", change, err)
		}
		began := time.Now()
		p.client.Kill()
		if took := time.Since(began); took >= 2*time.Second || strings.Contains(p.log.String(), "failed to exit gracefully") {
			t.Errorf("after the shutdown call the plugin had to be killed, or ended only after %v", took)
		}
		reopen(t, home)
	})
	t.Run("OutlivesSignals", func(t *testing.T) {
		p := launch(t, t.TempDir(), nil)
		p.initialize(t)
		process, err := os.FindProcess(p.client.ReattachConfig().Pid)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
			if err := process.Signal(s); err != nil {
				t.Fatal(err)
			}
			p.login(t)
		}
	})
	t.Run("LogsThroughTheHost", func(t *testing.T) {
		p := launch(t, t.TempDir(), nil)
		p.initialize(t)
		if log := p.log.String(); strings.Contains(log, password) || !strings.Contains(log, "plugin address") {
			t.Errorf("the host's log lacks the plugin's lines, or shows too much:\n%s", log)
		}
	})
	t.Run("PersonIsTold", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(executable)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != 1 || stdout.Len() != 0 || !strings.Contains(stderr.String(), "bolt account backend") {
			t.Errorf("%v, standard output %q, standard error %q", err, &stdout, &stderr)
		}
	})
	t.Run("Version", func(t *testing.T) {
		out, err := exec.Command(executable, "--version").Output()
		if fields := strings.Fields(string(out)); err != nil || len(fields) != 2 || fields[0] != "bolt" {
			t.Errorf("%q, %v, want the name and a version", out, err)
		}
	})
	t.Run("KeepsStandardOutputToItself", func(t *testing.T) {
		cmd := exec.Command(executable)
		cmd.Env = byHand()
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 4096)
		n, err := out.Read(line)
		if err != nil || !strings.HasPrefix(string(line[:n]), "1|1|unix|") || strings.Count(string(line[:n]), "\n") != 1 {
			t.Errorf("the first output is %q, %v", line[:n], err)
		}
		in.Close() // its end means nothing to the plugin
		cmd.Process.Signal(syscall.SIGTERM)
		time.AfterFunc(100*time.Millisecond, func() { cmd.Process.Kill() })
		if n, err := out.Read(line); n != 0 {
			t.Errorf("then it printed %q, %v", line[:n], err)
		}
		if err := cmd.Wait(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("it ended before it was killed: %v", err)
		}
	})
}

func TestBoltBackend(t *testing.T) {
	t.Run("RefusesAnUnknownSetting", func(t *testing.T) {
		client := goplugin.NewClient(clientConfig(exec.Command(executable)))
		t.Cleanup(client.Kill)
		_, err := configure(t.Context(), client, t.TempDir(), map[string]string{"file": "x"})
		if account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), `"file"`) {
			t.Errorf("got %v, want Invalid that names it", err)
		}
	})
	t.Run("TakesAPath", func(t *testing.T) {
		home, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere.db")
		for setting, want := range map[string]string{"here.db": filepath.Join(home, "here.db"), elsewhere: elsewhere} {
			p := launch(t, home, map[string]string{"path": setting})
			p.client.Kill()
			if _, err := os.Stat(want); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("HeldByAnother", func(t *testing.T) {
		home := t.TempDir()
		launch(t, home, nil)
		second := goplugin.NewClient(clientConfig(exec.Command(executable)))
		t.Cleanup(second.Kill)
		if _, err := second.Client(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := configure(ctx, second, home, nil)
		if account.KindOf(err) != account.KindUnavailable || !strings.Contains(err.Error(), filepath.Join(home, "accounts.db")) {
			t.Errorf("got %v, want Unavailable that names the file", err)
		}
	})
}

const password = "admin's own password"

// launched is a plugin that runs, over AutoMTLS, on a store of its own.
type launched struct {
	client *goplugin.Client
	users  account.Users
	log    *buffer // the host's log, the plugin's lines among it
}

// launch starts the plugin; the test's end shuts it down, and fails the test if
// the race detector said anything.
func launch(t *testing.T, home string, settings map[string]string) *launched {
	t.Helper()
	log, stderr := &buffer{}, &buffer{}
	config := clientConfig(exec.Command(executable))
	config.Logger = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace})
	config.Stderr = stderr
	client := goplugin.NewClient(config)
	t.Cleanup(func() {
		client.Kill()
		if strings.Contains(stderr.String(), "DATA RACE") {
			t.Error(stderr)
		}
	})
	backend, err := configure(t.Context(), client, home, settings)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return &launched{client: client, users: backend, log: log}
}

// initialize makes the first ADMIN and logs it in.
func (p *launched) initialize(t *testing.T) account.Caller {
	t.Helper()
	first := account.FirstAdministrator{Username: "admin", Password: account.Secret(password), RequestID: account.NewRequestID(time.Now())}
	if i, err := p.users.Initialize(t.Context(), first); err != nil || !i.Changed {
		t.Fatalf("initialize: %+v, %v", i, err)
	}
	return p.login(t)
}

func (p *launched) login(t *testing.T) account.Caller {
	t.Helper()
	l, err := p.users.Authenticate(t.Context(), account.Credentials{
		Username: "admin", Password: account.Secret(password), Listener: account.ManagementListener,
	})
	if err != nil {
		t.Fatal(err)
	}
	return account.Caller{Username: l.Account.Username, AccountID: l.Account.ID, Generation: l.Account.Generation}
}

// reopen opens the store that a plugin left. The kernel may be a moment behind
// with the lock of one that was killed.
func reopen(t *testing.T, home string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s, err := bolt.Open(ctx, filepath.Join(home, "accounts.db"), bolt.Options{})
	if err != nil {
		t.Error(err)
		return
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
