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
	"syscall"
	"testing"
)

// Main makes room for executables, runs the tests and returns their exit code,
// for TestMain: os.Exit(hosttest.Main(m)).
func Main(m *testing.M) int { return run(m, true) }

// MainPlain is Main for packages that measure: what they run is built as it is
// shipped, without the race detector.
func MainPlain(m *testing.M) int { return run(m, false) }

func run(m *testing.M, race bool) int {
	dir, err := os.MkdirTemp("", "concourse-bin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binaries, raced = dir, race
	return m.Run()
}

// unraced are what raced executables have without the race detector: libraries that
// work on what one call gives them. A password is hashed in half the time.
var unraced = []string{"github.com/ccojocar/zxcvbn-go/...", "github.com/go-crypt/x/..."}

var (
	binaries string
	raced    bool     // the system's and the tests' own executables
	made     sync.Map // by path: a func() error that builds it once
	system   = sync.OnceValue(func() error {
		plugins, err := plugins()
		if err != nil {
			return err
		}
		return errors.Join(readSources(), build("", raced, "./cmd/concourse"), build("plugins", raced, plugins...))
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
	return one(t, "tests", raced, pkg)
}

// BuildPlain is Build without the race detector, for executables whose
// processes are started by the hundred, and are raced elsewhere.
func BuildPlain(t testing.TB, pkg string) string {
	t.Helper()
	return one(t, "plain", false, pkg)
}

func one(t testing.TB, dir string, race bool, pkg string) string {
	t.Helper()
	if binaries == "" {
		t.Fatal("TestMain does not call hosttest.Main")
	}
	path := filepath.Join(binaries, dir, filepath.Base(pkg))
	once, _ := made.LoadOrStore(path, sync.OnceValue(func() error {
		return errors.Join(readSources(), build(dir, race, pkg))
	}))
	if err := once.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return path
}

// build makes the packages' executables in a directory of binaries. To link one
// takes seconds, and many packages' tests want the same, so they are made in the
// module's bin/tested, where "go build" leaves alone what is up to date, and
// copied from there before another test builds.
func build(dir string, race bool, packages ...string) error {
	module, err := root()
	if err != nil {
		return err
	}
	unlock, err := lock(module)
	if err != nil {
		return err
	}
	defer unlock()
	kept := filepath.Join(module, "bin", "tested", "plain")
	flags := []string{"build"}
	if !race {
		flags = append(flags, "-ldflags=-w") // as "make build" has it
	} else {
		kept = filepath.Join(module, "bin", "tested", "race")
		flags = append(flags, "-race")
		for _, pkg := range unraced {
			flags = append(flags, "-gcflags="+pkg+"=-race=false")
		}
	}
	makeThem := exec.Command("go", slices.Concat(flags, []string{"-o", kept + "/"}, packages)...)
	makeThem.Dir = module
	if out, err := makeThem.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", packages, err, out)
	}
	into := filepath.Join(binaries, dir)
	if err := os.MkdirAll(into, 0o700); err != nil {
		return err
	}
	// Another process writes them: a fork of this one would hold them open for
	// writing, and they could not be run.
	var files []string
	for _, pkg := range packages {
		files = append(files, filepath.Join(kept, filepath.Base(pkg)))
	}
	if out, err := exec.Command("cp", append(files, into)...).CombinedOutput(); err != nil {
		return fmt.Errorf("copy executables: %w\n%s", err, out)
	}
	return nil
}

// lock waits until no other test builds in the directory. It is the directory
// itself that is locked, and not by package os, so that "go test" takes no file
// for one that the test's result depends on.
func lock(dir string) (unlock func(), err error) {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	for err = syscall.EINTR; err == syscall.EINTR; {
		err = syscall.Flock(fd, syscall.LOCK_EX)
	}
	if err != nil {
		syscall.Close(fd)
		return nil, &fs.PathError{Op: "lock", Path: dir, Err: err}
	}
	return func() { syscall.Close(fd) }, nil
}

// plugins returns the packages of the plugins that are shipped.
func plugins() ([]string, error) {
	module, err := root()
	if err != nil {
		return nil, err
	}
	dirs, err := os.ReadDir(filepath.Join(module, "plugin", "cmd"))
	var packages []string
	for _, d := range dirs {
		packages = append(packages, "./plugin/cmd/"+d.Name())
	}
	return packages, err
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
