package bolt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// create makes an empty store where no file is, or an empty one. Like what
// Replace makes it is built beside and renamed into its place, so that a full
// disk or a power cut leaves no half of one, which would be refused as damaged.
// The empty file is held meanwhile.
func create(ctx context.Context, path string, logger hclog.Logger) error {
	for {
		created, err := tryCreate(path, logger)
		switch {
		case created:
			return nil
		case err == nil || errors.Is(err, syscall.EINTR):
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return account.Unavailable("the store %s cannot be created: %v", path, err)
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return heldByAnother(path)
		}
	}
}

// tryCreate reports whether there is a store now; false without an error means
// that another process has just put one there.
func tryCreate(path string, logger hclog.Logger) (created bool, err error) {
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return true, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return false, err
	}
	if info, err := file.Stat(); err != nil || info.Size() > 0 || !inPlace(file, path) {
		return false, err
	}
	at, err := followed(path)
	if err != nil {
		return false, err
	}
	tidy(path, logger)
	defer os.Remove(beside(at)) // unless it was moved
	if err := build(beside(at), 0, func(func(users.Key, []byte) error) error { return nil }); err != nil {
		return false, err
	}
	if err := os.Rename(beside(at), at); err != nil {
		return false, err
	}
	return true, syncDirectory(filepath.Dir(at))
}

// tidy removes what a restore, or a creation, that was cut short has left. Who
// calls it holds the lock, as whoever builds one does.
func tidy(path string, logger hclog.Logger) {
	at, err := followed(path)
	if err != nil {
		return
	}
	switch err := os.Remove(beside(at)); {
	case err == nil:
		logger.Info("what was being built and was cut short, by a crash or a power cut, was removed", "path", beside(at))
	case !errors.Is(err, fs.ErrNotExist):
		logger.Warn("what was being built and was cut short cannot be removed", "path", beside(at), "error", err)
	}
}

// followed returns the path of the file itself, where path is a link to it.
// Links on the way there stay as they are.
func followed(path string) (string, error) {
	for range 40 { // as many as the kernel follows
		to, err := os.Readlink(path)
		switch {
		case errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrNotExist):
			return path, nil
		case err != nil:
			return "", err
		case !filepath.IsAbs(to):
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", &fs.PathError{Op: "readlink", Path: path, Err: syscall.ELOOP}
}
