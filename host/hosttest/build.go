package hosttest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Main makes room for executables, runs the tests and returns their exit code,
// for TestMain: os.Exit(hosttest.Main(m)).
func Main(m *testing.M) int { return run(m, "-race") }

// MainPlain is Main for packages that measure: what they run is built as it is
// shipped, without the race detector.
func MainPlain(m *testing.M) int { return run(m) }

func run(m *testing.M, flags ...string) int {
	dir, err := os.MkdirTemp("", "concourse-bin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binaries, systemFlags = dir, flags
	return m.Run()
}

var (
	binaries    string
	systemFlags []string // of the system's and the tests' own executables
	plain       sync.Map // by package: a func() error that builds it once
	system      = sync.OnceValue(func() error {
		if err := readSources(); err != nil {
			return err
		}
		if err := build("", "./cmd/concourse", systemFlags...); err != nil {
			return err
		}
		return build("plugins", "./plugin/cmd/...", systemFlags...)
	})
)

// Bin returns a directory with the executable concourse and, in plugins beside
// it, the plugins. They are built at the first call.
func Bin(t testing.TB) string {
	t.Helper()
	if binaries == "" {
		t.Fatal("TestMain does not call hosttest.Main")
	}
	if err := system(); err != nil {
		t.Fatal(err)
	}
	return binaries
}

// Build builds a test's own executable, whose package is named from the
// module's directory on, and returns its path.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	Bin(t)
	if err := build("tests", pkg, systemFlags...); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(binaries, "tests", filepath.Base(pkg))
}

// BuildPlain is Build without the race detector, for executables whose
// processes are started by the hundred, and are raced elsewhere.
func BuildPlain(t testing.TB, pkg string) string {
	t.Helper()
	if binaries == "" {
		t.Fatal("TestMain does not call hosttest.Main")
	}
	once, _ := plain.LoadOrStore(pkg, sync.OnceValue(func() error {
		return errors.Join(readSources(), build("plain", pkg))
	}))
	if err := once.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(binaries, "plain", filepath.Base(pkg))
}

func build(dir, packages string, flags ...string) error {
	module, err := root()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", slices.Concat([]string{"build"}, flags, []string{"-o", filepath.Join(binaries, dir) + "/", packages})...)
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", packages, err, out)
	}
	return nil
}

// readSources looks at every directory of the module. "go test" notes that, and
// runs the test again when a file there has changed; what a compiler reads on
// the test's behalf it does not see.
func readSources() error {
	module, err := root()
	if err != nil {
		return err
	}
	return filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err == nil && d.IsDir() && (d.Name() == "bin" || d.Name() == "run" || strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		return err
	})
}

// root returns the module's directory, wherever the test runs.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above the test")
		}
	}
}
