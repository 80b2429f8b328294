package home

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Default returns the home to use when no flag names one: CONCOURSE_HOME, else
// /var/lib/concourse for root, else concourse in the user's data directory. It
// returns "" where a user has no home directory.
func Default(getenv func(string) string, uid int) string {
	if home := getenv("CONCOURSE_HOME"); home != "" {
		return home
	}
	if uid == 0 {
		return "/var/lib/concourse"
	}
	// The XDG rules ignore a relative path.
	if data := getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "concourse")
	}
	own := getenv("HOME")
	if own == "" {
		if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
			own = u.HomeDir
		}
	}
	if own == "" {
		return ""
	}
	return filepath.Join(own, ".local", "share", "concourse")
}

// Home is a host's directory.
type Home struct{ path string }

// At names a home without looking at it, as a client does.
func At(path string) (*Home, error) {
	if path == "" {
		return nil, errors.New("no home is known; name one with --home or CONCOURSE_HOME")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("cannot tell the absolute path of the home: %w", err)
	}
	return &Home{path: path}, nil
}

// Open makes the home ready for a host: it creates the directory, mode 0700, if
// it is absent. It refuses one that others may write to, one that belongs to
// another user than root or this one, and one whose path is too long for the
// sockets in it.
func Open(path string) (*Home, error) {
	h, err := At(path)
	if err != nil {
		return nil, err
	}
	if err := h.checkLength(); err != nil {
		return nil, err
	}
	if err := create(h.path, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create the home %s: %w", h.path, cause(err))
	}
	info, err := os.Stat(h.path)
	if err != nil {
		return nil, fmt.Errorf("cannot look at the home %s: %w", h.path, cause(err))
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	if err := check(info.Mode(), owner, os.Geteuid()); err != nil {
		return nil, fmt.Errorf("the home %s %w", h.path, err)
	}
	return h, nil
}

func check(mode fs.FileMode, owner, self int) error {
	if !mode.IsDir() {
		return errors.New("is not a directory")
	}
	if owner != 0 && owner != self {
		return fmt.Errorf("belongs to uid %d; run as that user, or choose another home", owner)
	}
	if mode.Perm()&0o022 != 0 {
		return errors.New("may be written to by others; run chmod go-w on it")
	}
	return nil
}

// create makes a directory and what is missing above it (mode 0755), each
// entry synced, so that a power cut does not lose the home from under its
// store.
func create(path string, mode fs.FileMode) error {
	_, err := os.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := create(parent, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDirectory(parent)
}

// Admit lets the members of a group pass through the home to a socket that is
// theirs, and gives them nothing else in it.
func (h *Home) Admit(gid int) error {
	if err := os.Chown(h.path, -1, gid); err != nil {
		return fmt.Errorf("cannot give the home %s to group %d: %w", h.path, gid, cause(err))
	}
	if err := os.Chmod(h.path, 0o710); err != nil {
		return fmt.Errorf("cannot open the home %s to group %d: %w", h.path, gid, cause(err))
	}
	return nil
}

// cause leaves out the path that a file error repeats.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
