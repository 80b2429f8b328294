package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Executables that the tests run as plugins, and the variable that makes this
// test's own executable a host.
var (
	backend string // testdata/backend
	bolt    string // the real embedded backend
)

const hostVariable = "SUPERVISOR_TEST_HOST"

func TestMain(m *testing.M) {
	if home := os.Getenv(hostVariable); home != "" {
		runHost(home)
	}
	flag.Parse()
	if flag.Lookup("test.run").Value.String() == "^$" { // as when fuzzing, in every worker: no test needs them
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "supervisor")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		backend = build(dir, "backend", "./testdata/backend", "-race=false") // a tool; a race detector sleeps 1 s at each exit
		bolt = build(dir, "concourse-users-bolt", "../../plugin/cmd/concourse-users-bolt", "-race="+raced())
		return m.Run()
	}())
}

// raced says whether this executable has the race detector.
func raced() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" {
				return s.Value
			}
		}
	}
	return "false"
}

func build(dir, name, pkg, flag string) string {
	if out, err := exec.Command("go", "build", flag, "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build %s: %v\n%s", pkg, err, out))
	}
	return filepath.Join(dir, name)
}

// options are those of a quick supervisor of the misbehaving backend.
func options(t *testing.T) supervisor.Options {
	t.Helper()
	home := t.TempDir()
	return supervisor.Options{
		Path: backend, AutoMTLS: true, RunDir: filepath.Join(home, "run"),
		Configuration: account.Configuration{Home: home},
		StartTimeout:  20 * time.Second, CallTimeout: 20 * time.Second,
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &testLog{t: t}}),
		Pace:   supervisor.Pace{RestartMin: 10 * time.Millisecond, RestartMax: 50 * time.Millisecond},
	}
}

// testLog shows what is logged when a test fails.
type testLog struct {
	t  *testing.T
	mu sync.Mutex
	// over is set when the test has ended: what comes later is lost.
	over bool
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.t.Log(strings.TrimSpace(string(p[:min(len(p), 500)])))
	}
	return len(p), nil
}

// start starts a supervisor and, when the test ends, stops it and makes sure
// that nothing is left.
func start(t *testing.T, o supervisor.Options) *supervisor.Supervisor {
	t.Helper()
	s, err := supervisor.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s, o) })
	return s
}

func stop(t *testing.T, s *supervisor.Supervisor, o supervisor.Options) {
	t.Helper()
	pid := s.Status().PID
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if pid != 0 && alive(pid) {
		t.Errorf("the plugin's process %d outlived Stop", pid)
	}
	wantEmpty(t, o.RunDir)
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for _, e := range entries {
		t.Errorf("%s is left in the run directory", e.Name())
	}
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return rest[0] != 'Z' && rest[0] != 'X'
}

// eventually waits for a condition that some other process brings about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long until %s", what)
		}
	}
}

func lines(t *testing.T, o supervisor.Options, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.Configuration.Home, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// noted reports whether the backend has written to the file.
func noted(o supervisor.Options, file string) bool {
	_, err := os.Stat(filepath.Join(o.Configuration.Home, file))
	return err == nil
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func wantKind(t *testing.T, err error, kind account.Kind, text string) {
	t.Helper()
	if account.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v (%v), want %v with %q", err, account.KindOf(err), kind, text)
	}
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if pid <= 0 {
		t.Fatal("no process to signal")
	}
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// recorder collects events.
type recorder struct {
	mu     sync.Mutex
	events []supervisor.Event
}

func (r *recorder) add(e supervisor.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) all() (kinds []supervisor.EventKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// first returns the first event of the kind.
func (r *recorder) first(kind supervisor.EventKind) supervisor.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			return e
		}
	}
	return supervisor.Event{}
}
