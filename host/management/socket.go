package management

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// Listen makes the management socket: mode 0600, or 0660 for the group gid, if
// that is not negative. A socket that is left there belongs to a dead host (the
// caller holds the home's lock) and is replaced; anything else in its place is
// refused. The caller removes the socket after closing the listener.
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
	private, err := os.MkdirTemp(filepath.Dir(path), ".s") // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	born := filepath.Join(private, "s")
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
