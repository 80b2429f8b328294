package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// File is what the log writes to.
type File interface {
	io.Writer
	// Sync returns when what was written is on disk.
	Sync() error
	Truncate(size int64) error
	Close() error
}

// openFile opens the log's current file for appending, and makes it if it is
// absent.
func openFile(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

type diskFile struct{ *os.File }

// Sync leaves out what a reader does not need, such as the time of the write.
func (f diskFile) Sync() error { return datasync(f.File) }

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// noSpace reports whether an error may pass by itself.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// stampLayout sorts as time does.
const stampLayout = "20060102T150405.000000000Z"

func stampOf(path, rotated string) (time.Time, error) {
	return time.Parse(stampLayout, strings.TrimPrefix(rotated, path+"."))
}

// rotatedFiles returns the log's earlier files, oldest first.
func rotatedFiles(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot list the audit log's files: %w", err)
	}
	var all []string
	for _, e := range entries {
		name := filepath.Join(filepath.Dir(path), e.Name())
		if _, err := stampOf(path, name); err == nil && strings.HasPrefix(name, path+".") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all, nil
}

// beside is where the next file is made before it takes its place.
func beside(path string) string { return path + ".next" }

// rotate gives the current file a name with a time later than any earlier
// one's, puts an empty one in its place, and removes what is beyond keep. If
// it fails, the current file stays where it was and grows on, and the next
// attempt is a minute away, unless broken says otherwise.
func (l *Log) rotate() (broken error) {
	putOff := func(err error) error {
		l.rotateFrom = l.options.Now().Add(time.Minute)
		l.options.Warn(fmt.Errorf("cannot begin a new file of the audit log: %w", err))
		return nil
	}
	earlier, err := rotatedFiles(l.path)
	if err != nil {
		return putOff(err)
	}
	at := l.options.Now().UTC()
	if n := len(earlier); n > 0 {
		if last, err := stampOf(l.path, earlier[n-1]); err == nil && !at.After(last) {
			at = last.Add(1)
		}
	}
	next, err := l.options.OpenFile(beside(l.path))
	if err != nil {
		return putOff(err)
	}
	name := l.path + "." + at.Format(stampLayout)
	if err := os.Rename(l.path, name); err != nil {
		next.Close()
		return putOff(err)
	}
	// Nothing promises that changes of a directory reach the disk in order, and
	// the second rename alone would take the current file's only name.
	err = syncDirectory(filepath.Dir(l.path))
	if err == nil {
		err = os.Rename(beside(l.path), l.path)
	}
	if err != nil {
		next.Close()
		if back := os.Rename(name, l.path); back != nil {
			return fmt.Errorf("cannot begin a new audit log: %w", errors.Join(err, back))
		}
		return putOff(err)
	}
	l.file.Close()
	l.file, l.size = next, 0
	if err := syncDirectory(filepath.Dir(l.path)); err != nil {
		return fmt.Errorf("cannot sync the audit log's directory: %w", err)
	}
	l.removeOld(append(earlier, name))
	return nil
}

// removeOld leaves Keep earlier files. One that cannot be removed now is tried
// again at the next rotation.
func (l *Log) removeOld(earlier []string) {
	if l.options.Keep == 0 {
		return
	}
	for _, name := range earlier[:max(len(earlier)-l.options.Keep, 0)] {
		os.Remove(name)
	}
}
