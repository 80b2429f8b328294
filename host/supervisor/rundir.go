package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/cinchapi/concourse-users/shared/account"
)

// runDir is the host's own directory for executed copies (x1, x2, …) and for
// the sockets of each process (s1, s2, …). host/home counts on these names when
// it refuses a home whose path is too long for a socket.
type runDir struct {
	path  string
	count atomic.Int64
}

var ours = regexp.MustCompile(`^(?:[xs][0-9]+|plugin-dir[0-9]+)$`)

// openRunDir makes the directory or accepts one that nobody else can enter,
// and removes what an earlier host left in it.
func openRunDir(path string) (*runDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("plugin run directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("plugin run directory: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("plugin run directory: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return nil, account.Invalid("home", "the plugin run directory %s must be a directory of this user with mode 0700", path)
	}
	d := &runDir{path: path}
	return d, d.clean()
}

// fresh makes a new directory whose name begins with the prefix.
func (d *runDir) fresh(prefix string) (string, error) {
	dir := filepath.Join(d.path, prefix+strconv.FormatInt(d.count.Add(1), 10))
	return dir, os.Mkdir(dir, 0o700)
}

// clean removes what only this package makes.
func (d *runDir) clean() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("plugin run directory: %w", err)
	}
	for _, e := range entries {
		if ours.MatchString(e.Name()) {
			if err := os.RemoveAll(filepath.Join(d.path, e.Name())); err != nil {
				return fmt.Errorf("plugin run directory: %w", err)
			}
		}
	}
	return nil
}
