package management

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// Listen makes the management socket: mode 0600, or 0660 for the group gid, if
// that is not negative. A socket that is left there belongs to a dead host (the
// caller holds the home's lock) and is replaced, and what else a kill of it left
// beside is removed; anything else in its place is refused. The caller removes the socket after closing the listener.
//
// The socket gets its rights in a directory that nobody else can enter, and
// only then its name: at no time can a stranger connect to it. A umask would do
// the same, but holds for the whole process, and for what it starts.
func Listen(path string, gid int) (net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is in the way: it is not a socket", path)
	}
	if err := tidy(filepath.Dir(path)); err != nil {
		return nil, err
	}
	cradle, err := os.MkdirTemp(filepath.Dir(path), ".s") // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(cradle)
	born := filepath.Join(cradle, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: born, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := admit(born, gid); err != nil {
		listener.Close()
		return nil, err
	}
	if err := os.Rename(born, path); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// cradles are the names that MkdirTemp gives the directories in which sockets are
// born.
var cradles = regexp.MustCompile(`^\.s[0-9]+$`)

// tidy removes the directories in which the sockets of dead hosts were born. One
// that is not this user's alone, or that holds anything else, stays.
func tidy(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !cradles.MatchString(e.Name()) || info.Mode() != fs.ModeDir|0o700 {
			continue
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
			continue
		}
		left := filepath.Join(dir, e.Name())
		if born, err := os.Lstat(filepath.Join(left, "s")); err == nil && born.Mode().Type() == fs.ModeSocket {
			os.Remove(filepath.Join(left, "s"))
		}
		os.Remove(left) // only if it is empty
	}
	return nil
}

func admit(path string, gid int) error {
	mode := fs.FileMode(0o600)
	if gid >= 0 {
		if err := os.Chown(path, -1, gid); err != nil {
			return fmt.Errorf("give the management socket to group %d: %w", gid, err)
		}
		mode = 0o660
	}
	return os.Chmod(path, mode)
}
