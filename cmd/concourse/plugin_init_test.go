package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// TestPluginInit does with new backends what the command tells their author to
// do next. So the templates cannot fall behind the SDK.
func TestPluginInit(t *testing.T) {
	t.Parallel()
	t.Run("Store", func(t *testing.T) {
		t.Parallel()
		b := beginBackend(t, "shelf")
		b.passes("TestStore", "TestVerify")
		h := hosttest.Start(t, "plugin:", "  path: "+b.executable())
		if out := h.Run("", "users", "list"); out.Code != 0 || !strings.Contains(out.Stdout, "admin") {
			t.Errorf("a host on it: %+v", out)
		}
		h.Stop()
	})
	// It takes its accounts from a host that has them, as its README says.
	t.Run("ReadOnly", func(t *testing.T) {
		t.Parallel()
		b := beginBackend(t, "staff", "--read-only")
		b.passes("TestLoad", "TestVerify")
		from, to := hosttest.Start(t), hosttest.New(t, "plugin:", "  path: "+b.executable())
		for _, args := range [][]string{
			{"users", "create", "jeff", "--set-role", "USER", "--set-password-file", "-"},
			{"users", "export", "--with-hashes", "--format", "json", "-o", filepath.Join(to.Home, "accounts.json")},
		} {
			if out := from.Run("plum jam on toast\n", args...); out.Code != 0 {
				t.Fatalf("%q: %+v", args, out)
			}
		}
		to.Start()
		if out := to.Run("plum jam on toast\n", "users", "check-password", "jeff", "--check-password-file", "-"); out.Code != 0 {
			t.Errorf("a host on it: %+v", out)
		}
		to.Stop()
		from.Stop()
	})
}

// newBackend is a backend that was begun.
type newBackend struct {
	t               *testing.T
	name, directory string
}

// beginBackend also shows that it is as gofmt and "go mod tidy" leave it, and
// has the SDK's version of Go.
func beginBackend(t *testing.T, name string, options ...string) newBackend {
	t.Helper()
	sdk, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	b := newBackend{t, name, filepath.Join(t.TempDir(), "concourse-users-"+name)}
	command := exec.Command(filepath.Join(hosttest.Bin(t), "concourse"), append([]string{"plugin", "init", b.directory, "--sdk", sdk}, options...)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("plugin init: %v\n%s", err, out)
	}
	if out := b.run("gofmt", "-l", "."); out != "" {
		t.Errorf("gofmt would change %s", out)
	}
	b.run("go", "mod", "tidy")
	// It asks for the version that the SDK does, or tidy would have raised it.
	ours, theirs := goLine(t, filepath.Join(sdk, "go.mod")), goLine(t, filepath.Join(b.directory, "go.mod"))
	if strings.TrimSuffix(ours, ".0") != strings.TrimSuffix(theirs, ".0") {
		t.Errorf("its go.mod has %q, the SDK's %q", theirs, ours)
	}
	b.run("go", "vet", "./...")
	return b
}

// passes runs the backend's tests, which must be these at least.
func (b newBackend) passes(tests ...string) {
	b.t.Helper()
	out := b.run("go", "test", "-v", "./...")
	for _, test := range tests {
		if !strings.Contains(out, "--- PASS: "+test+" ") {
			b.t.Errorf("%s did not run:\n%s", test, out)
		}
	}
}

// executable builds it, and returns its path.
func (b newBackend) executable() string {
	b.t.Helper()
	path := filepath.Join(b.directory, "concourse-users-"+b.name)
	b.run("go", "build", "-o", path, ".")
	if out := b.run(path, "--version"); out != b.name+" 0.1.0\n" {
		b.t.Errorf("it says %q", out)
	}
	return path
}

// run runs a command in the backend's directory, and returns what it prints.
func (b newBackend) run(name string, args ...string) string {
	b.t.Helper()
	c := exec.Command(name, args...)
	c.Dir = b.directory
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := c.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func goLine(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "go ") {
			return strings.TrimSpace(line)
		}
	}
	t.Fatalf("%s has no go line", path)
	return ""
}
