package etcdtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// The executables are where Go keeps what it has built, once for all tests.
var (
	server  = sync.OnceValues(func() (string, error) { return tool("go.etcd.io/etcd/server/v3") })
	utility = sync.OnceValues(func() (string, error) { return tool("go.etcd.io/etcd/etcdutl/v3") })
)

// tool builds a tool of tools/etcd, unless that was done before, and returns its
// path.
func tool(path string) (string, error) {
	module, err := root()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "tool", "-modfile="+filepath.Join("tools", "etcd", "go.mod"), "-n", path)
	cmd.Dir = module
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go tool %s: %w\n%s", path, err, complaints.String())
	}
	return strings.TrimSpace(string(out)), nil
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
