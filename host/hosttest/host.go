package hosttest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Administrator and Password are the first administrator's credentials, unless
// the settings say otherwise.
const (
	Administrator = "admin"
	Password      = "correct horse battery"
)

// patience bounds every wait, generously: a wait that ends is never a
// measurement.
const patience = 60 * time.Second

// Host is a host's home, and the process that serves it, if one runs. Methods
// that can fail the test belong to the test's own goroutine; Login, Log and
// Command belong to any.
type Host struct {
	Home  string
	Env   []string // of the next Start, beside what a Host sets itself
	Under []string // a command that the next Start's host runs under, which becomes the host or stays beside it

	// Executable is what the next Start runs, if it is not concourse itself.
	Executable string

	t       testing.TB
	process *exec.Cmd
	log     *log
	exited  chan struct{} // closed when process was reaped
}

// New makes a home, with the lines as concourse.yaml, and starts no host.
func New(t testing.TB, settings ...string) *Host {
	t.Helper()
	// Short, since sockets live in it; t.TempDir() names the test.
	dir, err := os.MkdirTemp("", "h")
	if err != nil {
		t.Fatal(err)
	}
	h := &Host{Home: dir, t: t, log: &log{}}
	h.Configure(settings...)
	t.Cleanup(func() {
		h.Kill()
		if t.Failed() {
			t.Logf("the end of the host's log:\n%s", h.log.end())
		}
		os.RemoveAll(dir)
	})
	return h
}

// Start makes a home and starts its host.
func Start(t testing.TB, settings ...string) *Host {
	t.Helper()
	h := New(t, settings...)
	h.Start()
	return h
}

// aboutClients finds a line that says where clients reach the host.
var aboutClients = regexp.MustCompile(`(?m)^(client|client\.address|client_port):`)

// Configure writes concourse.yaml anew. Unless a line is about the client port,
// the host has none: hosts on one machine would fight for it.
func (h *Host) Configure(settings ...string) {
	h.t.Helper()
	text := strings.Join(settings, "\n") + "\n"
	if !aboutClients.MatchString(text) {
		text += "client.address: ''\n"
	}
	if err := os.WriteFile(filepath.Join(h.Home, "concourse.yaml"), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// Start starts the host and waits until it is ready.
func (h *Host) Start() {
	h.t.Helper()
	if err := h.TryStart(); err != nil {
		h.t.Fatal(err)
	}
}

// TryStart starts the host and waits until it is ready, or has ended.
func (h *Host) TryStart() error {
	h.t.Helper()
	executable := h.Executable
	if executable == "" {
		executable = filepath.Join(Bin(h.t), "concourse")
	}
	start := append(slices.Clone(h.Under), executable, "start", "--home", h.Home)
	h.process = exec.Command(start[0], start[1:]...)
	h.process.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.Home, "GORACE=atexit_sleep_ms=0",
		"CONCOURSE_INIT_ROOT_PASSWORD=" + Password,
		"CONCOURSE_LOG_LEVEL=debug", // at which a plugin's race reports come through
	}
	if settings, err := os.ReadFile(filepath.Join(h.Home, "concourse.yaml")); err == nil && !bytes.Contains(settings, []byte("start_timeout")) {
		h.process.Env = append(h.process.Env, "CONCOURSE_PLUGIN_START_TIMEOUT="+patience.String()) // the default is for machines with less to do
	}
	h.process.Env = append(h.process.Env, h.Env...)
	if h.Under == nil {
		h.process.Args[0] = "tested" // whoever ends hosts by name means another
	}
	h.log.begin()
	h.process.Stderr = h.log
	out, err := h.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.process.Start(); err != nil {
		return err
	}
	h.exited = make(chan struct{})
	ready := make(chan struct{})
	go h.attend(h.process, out, ready, h.exited)
	select {
	case <-ready:
		return nil
	case <-h.exited:
		return fmt.Errorf("the host ended before it was ready: %v\n%s", h.process.ProcessState, h.Log())
	case <-time.After(patience):
		return fmt.Errorf("the host was not ready after %v\n%s", patience, h.Log())
	}
}

// attend reads what a host prints, until it ends.
func (h *Host) attend(process *exec.Cmd, out interface{ Read([]byte) (int, error) }, ready, exited chan struct{}) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		h.log.Write(append(lines.Bytes(), '\n'))
		if strings.HasPrefix(lines.Text(), "Concourse is ready") {
			close(ready)
		}
	}
	process.Wait()
	close(exited)
}

// PID returns the host's process id.
func (h *Host) PID() int { return h.process.Process.Pid }

// Log returns what the host has printed and logged since its last start.
func (h *Host) Log() string { return h.log.sinceBegin() }

// History returns what the host has printed and logged since its first start.
func (h *Host) History() string { return h.log.all() }

// Signal sends a signal to the host.
func (h *Host) Signal(s syscall.Signal) {
	h.t.Helper()
	if err := h.process.Process.Signal(s); err != nil {
		h.t.Fatal(err)
	}
}

// Kill ends the host with SIGKILL, if it runs, and waits for its end.
func (h *Host) Kill() {
	h.t.Helper()
	if h.process != nil && h.process.Process != nil {
		h.process.Process.Kill()
		h.ended()
	}
}

// Stop ends the host with SIGTERM and waits for its end, which must be clean.
func (h *Host) Stop() {
	h.t.Helper()
	h.Signal(syscall.SIGTERM)
	h.AwaitStopped()
}

// AwaitStopped waits for the end of a host that was told to stop. The end must be
// clean.
func (h *Host) AwaitStopped() {
	h.t.Helper()
	process := h.process
	select {
	case <-h.exited:
	case <-time.After(patience):
		h.t.Fatalf("the host did not stop within %v", patience)
	}
	h.ended()
	if code := process.ProcessState.ExitCode(); code != 0 {
		h.t.Fatalf("the host stopped with exit code %d", code)
	}
}

// ended waits until the host was reaped, and fails the test if the race
// detector said anything in it or in its plugins.
func (h *Host) ended() {
	h.t.Helper()
	<-h.exited
	h.process = nil
	if log := h.Log(); strings.Contains(log, "DATA RACE") {
		h.t.Errorf("the race detector reports:\n%s", log)
	}
}

var (
	clientsAt    = regexp.MustCompile(`(?m)^Clients reach it at (\S+)(?: with TLS)?$`)
	managementAt = regexp.MustCompile(`(?m)^Tools of the original reach it at (\S+)(?: with TLS)?$`)
)

// ClientAddress returns where the host said that clients reach it. A test that
// wants it sets client.address, to localhost:0 as a rule.
func (h *Host) ClientAddress() string { return h.said(clientsAt) }

// ManagementAddress returns where the host said that tools of the original reach
// its management service. A test that wants it sets management.port, to 0 as a
// rule.
func (h *Host) ManagementAddress() string { return h.said(managementAt) }

func (h *Host) said(where *regexp.Regexp) string {
	h.t.Helper()
	m := where.FindStringSubmatch(h.Log())
	if m == nil {
		h.t.Fatalf("the host does not say where:\n%s", h.Log())
	}
	return m[1]
}

// Socket returns the path of the management socket.
func (h *Host) Socket() string { return filepath.Join(h.Home, "management.sock") }

// Dial connects without logging in.
func (h *Host) Dial() *management.Client {
	h.t.Helper()
	c, err := h.dial()
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *Host) dial() (*management.Client, error) {
	c, err := management.Dial(context.Background(), h.Socket(), management.DialOptions{AnswerWithin: patience})
	if err == nil {
		h.t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// Login connects and logs in. A refused login leaves no connection.
func (h *Host) Login(username, password string) (*management.Client, error) {
	c, err := h.dial()
	if err != nil {
		return nil, err
	}
	if _, err := c.Login(h.t.Context(), username, account.Secret(password)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// As connects and logs in, as an account that may.
func (h *Host) As(username, password string) *management.Client {
	h.t.Helper()
	c, err := h.Login(username, password)
	if err != nil {
		h.t.Fatalf("log in as '%s': %v", username, err)
	}
	return c
}

// Admin connects and logs in as the first administrator.
func (h *Host) Admin() *management.Client {
	h.t.Helper()
	return h.As(Administrator, Password)
}

// Await waits until it is so.
func Await(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is still not so that %s", patience, what)
		}
	}
}
