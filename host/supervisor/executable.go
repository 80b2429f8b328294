package supervisor

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cinchapi/concourse-users/shared/account"
)

// executable is the operator's file and the host's copy of it. Only the copy
// is ever run, so that what was compared with the pin is what runs, a restart
// runs the same program whatever has become of the file, and a reload has
// something to go back to. go-plugin's SecureConfig could not promise that: it
// hashes a path and then runs the path.
type executable struct {
	path   string
	copy   string
	pinned bool
	fresh  atomic.Bool // the copy was hashed, and not started since

	copied  chan struct{} // closed when the rest is set
	sum     string        // of the copy
	refusal error         // why there is none
}

func (e *executable) name() string { return filepath.Base(e.path) }

const namePrefix = "concourse-users-"

// locate turns a name into the path of a file in the directory, where "bolt"
// also finds "concourse-users-bolt"; a path stays as it is.
func locate(path, directory string) (string, error) {
	if path == "" {
		return "", account.Invalid("plugin", "no plugin is named")
	}
	if strings.ContainsRune(path, filepath.Separator) {
		return filepath.Abs(path)
	}
	if directory == "" {
		return "", account.Invalid("plugin", "there is no directory to find the plugin %q in; give a path", account.Printable(path))
	}
	for _, name := range []string{path, namePrefix + path} {
		full, err := filepath.Abs(filepath.Join(directory, name))
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(full); err == nil {
			return full, nil
		}
	}
	var there []string
	entries, _ := os.ReadDir(directory)
	for _, e := range entries {
		there = append(there, account.Printable(e.Name()))
	}
	return "", account.Invalid("plugin", "no plugin named %q in %s, which has: %s", account.Printable(path), directory, cut(strings.Join(append(there, ""), " "), 512))
}

// obtain finds the file, copies it, hashes the copy and compares the sum with
// the pin. With an error it returns what is known of the executable, of which
// then no copy is left.
func obtain(o Options, dir *runDir) (*executable, error) {
	e, err := find(o, dir)
	if err == nil {
		err = e.await()
	}
	return e, err
}

// find is obtain without waiting for the copy, which await does. That leaves time
// to make ready what else a process needs.
func find(o Options, dir *runDir) (*executable, error) {
	e := &executable{path: o.Path, pinned: o.SHA256 != "", copied: make(chan struct{})}
	path, err := locate(o.Path, o.Directory)
	if err != nil {
		return e, err
	}
	e.path = path
	pin := strings.ToLower(strings.TrimSpace(o.SHA256))
	if raw, err := hex.DecodeString(pin); err != nil || e.pinned && len(raw) != sha256.Size {
		return e, account.Invalid("plugin.sha256", "%q is not a SHA-256 sum; it has 64 hexadecimal digits", account.Printable(o.SHA256))
	}
	// A FIFO of that name must not hold the host up.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return e, account.Unavailable("cannot start plugin %s: there is no file %s", e.name(), path)
	}
	if err != nil {
		return e, account.Unavailable("cannot start plugin %s: %v", e.name(), err)
	}
	if err := e.check(file); err != nil {
		file.Close()
		return e, err
	}
	into, err := dir.fresh("x")
	if err != nil {
		file.Close()
		return e, fmt.Errorf("copy of plugin %s: %w", e.name(), err)
	}
	e.copy = filepath.Join(into, e.name())
	go func() {
		defer close(e.copied)
		defer file.Close()
		if e.refusal = e.take(file, pin); e.refusal != nil {
			e.discard()
		}
	}()
	return e, nil
}

// take copies the file, hashes the copy and compares it with the pin.
func (e *executable) take(file *os.File, pin string) (err error) {
	if err = copyFile(e.copy, file); err == nil {
		e.sum, err = sumOf(e.copy)
	}
	if err != nil {
		return account.Unavailable("cannot start plugin %s: it cannot be copied: %v", e.name(), err)
	}
	if e.pinned && e.sum != pin {
		return account.Unavailable("cannot start plugin %s: %s has the SHA-256 sum %s, but it is pinned to %s", e.name(), e.path, e.sum, pin)
	}
	e.fresh.Store(true)
	return nil
}

// await returns once the copy and its sum are there, or why they are not.
func (e *executable) await() error {
	<-e.copied
	return e.refusal
}

// check refuses a file that is no program, and an unpinned one that anybody
// may rewrite.
func (e *executable) check(file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return account.Unavailable("cannot start plugin %s: %v", e.name(), err)
	case !info.Mode().IsRegular():
		return account.Unavailable("cannot start plugin %s: %s is not a regular file", e.name(), e.path)
	case info.Mode().Perm()&0o111 == 0:
		return account.Unavailable("cannot start plugin %s: %s is not executable", e.name(), e.path)
	case !e.pinned && info.Mode().Perm()&0o002 != 0:
		return account.Unavailable("cannot start plugin %s: anybody may write to %s; pin its SHA-256 sum or take that permission away", e.name(), e.path)
	}
	return nil
}

// unchanged hashes the copy again, before each start of it but the first, which
// follows on the hashing.
func (e *executable) unchanged() error {
	if err := e.await(); err != nil || e.fresh.Swap(false) {
		return err
	}
	sum, err := sumOf(e.copy)
	if errors.Is(err, fs.ErrNotExist) {
		return account.Unavailable("cannot start plugin %s: the host's copy of it is gone: %v", e.name(), err)
	}
	if err == nil && sum != e.sum {
		err = errors.New("its SHA-256 sum is now " + sum)
	}
	if err != nil {
		return account.Unavailable("cannot start plugin %s: the host's copy of it was changed: %v", e.name(), err)
	}
	return nil
}

func (e *executable) discard() { os.RemoveAll(filepath.Dir(e.copy)) }

func copyFile(to string, from *os.File) (err error) {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, from)
	return err
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
