package audit_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
)

// faulty is a file that fails on demand, after it wrote part of what it got.
type faulty struct {
	audit.File
	fault *fault
}

// errNoSpace is a full disk.
var errNoSpace error = syscall.ENOSPC

type fault struct{ write, sync, truncate error }

func (f faulty) Write(b []byte) (int, error) {
	if f.fault.write == nil {
		return f.File.Write(b)
	}
	n, _ := f.File.Write(b[:len(b)/2])
	return n, f.fault.write
}

func (f faulty) Sync() error {
	if f.fault.sync != nil {
		return f.fault.sync
	}
	return f.File.Sync()
}

func (f faulty) Truncate(size int64) error {
	if f.fault.truncate != nil {
		return f.fault.truncate
	}
	return f.File.Truncate(size)
}

func openFaulty(t *testing.T, path string) (*audit.Log, *fault) {
	t.Helper()
	f := &fault{}
	return open(t, path, audit.Options{Now: atNoon, OpenFile: func(path string) (audit.File, error) {
		real, err := disk(path)
		return faulty{real, f}, err
	}}), f
}

func TestAppendDiskFull(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for name, f := range map[string]fault{"writing": {write: full}, "syncing": {sync: syscall.EDQUOT}} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			l, fault := openFaulty(t, path)
			add(t, l, started("a"))
			*fault = f
			for range 3 {
				if err := l.Append(started("lost")); err == nil || !strings.HasPrefix(err.Error(), "cannot write to the audit log "+path) {
					t.Errorf("on a full disk: %v", err)
				}
				if err := l.Ready(); err == nil || l.Err() != nil {
					t.Errorf("on a full disk it is ready: %v, and broken for good: %v", err, l.Err())
				}
			}
			*fault = struct{ write, sync, truncate error }{}
			for range 2 {
				if err := l.Ready(); err != nil {
					t.Errorf("with room again: %v", err)
				}
			}
			add(t, l, started("b"))
			closeLog(t, l)
			lines := read(t, path)
			if diff := cmp.Diff([]string{"a", "", "b"}, details(lines)); diff != "" {
				t.Fatal(diff)
			}
			if e := lines[1]; e.Event != audit.LogResumed || e.Outcome != audit.OK || e.Count != 3 {
				t.Errorf("of the three that were refused it says %+v", e)
			}
		})
	}
}

// While half a line cannot be taken back, none may follow it.
func TestAppendDiskFullUnrepaired(t *testing.T) {
	path := newPath(t)
	l, fault := openFaulty(t, path)
	add(t, l, started("a"))
	fault.write, fault.truncate = syscall.ENOSPC, syscall.EIO
	if err := l.Append(started("lost")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
	fault.write = nil
	if err := l.Append(started("lost")); !errors.Is(err, syscall.EIO) {
		t.Errorf("behind half a line: %v", err)
	}
	if err := l.Ready(); !errors.Is(err, syscall.EIO) {
		t.Errorf("behind half a line it is ready: %v", err)
	}
	fault.truncate = nil
	add(t, l, started("b"))
	closeLog(t, l)
	if diff := cmp.Diff([]string{"a", "", "b"}, details(read(t, path))); diff != "" {
		t.Error(diff)
	}
}

func TestAppendBroken(t *testing.T) {
	for name, f := range map[string]fault{"writing": {write: syscall.EIO}, "syncing": {sync: syscall.EIO}} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			l, fault := openFaulty(t, path)
			add(t, l, started("a"))
			*fault = f
			first := l.Append(started("lost"))
			*fault = struct{ write, sync, truncate error }{}
			if again := l.Append(started("lost")); !errors.Is(first, syscall.EIO) || again == nil || again.Error() != first.Error() {
				t.Errorf("first %v, then %v", first, again)
			}
			if l.Err() == nil || l.Ready() == nil {
				t.Errorf("it is broken: %v, and ready: %v", l.Err(), l.Ready())
			}
			closeLog(t, l)
			if diff := cmp.Diff([]string{"a"}, details(read(t, path))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A new file that cannot be made puts the rotation off, not the lines.
func TestRotationFails(t *testing.T) {
	path := newPath(t)
	fail, later, warnings := true, time.Duration(0), 0
	l := open(t, path, audit.Options{
		MaxSize: 1,
		Now:     func() time.Time { return atNoon().Add(later) },
		Warn:    func(error) { warnings++ },
		OpenFile: func(name string) (audit.File, error) {
			if fail && name != path {
				return nil, syscall.EMFILE
			}
			return disk(name)
		},
	})
	add(t, l, started("a"), started("b"), started("c"))
	if n := len(files(t, path)); n != 1 || warnings != 1 {
		t.Errorf("%d files and %d warnings, want one of each within a minute", n, warnings)
	}
	fail, later = false, time.Minute
	add(t, l, started("d"))
	closeLog(t, l)
	if n := len(files(t, path)); n != 2 {
		t.Errorf("%d files, want 2", n)
	}
	if got := fmt.Sprint(details(read(t, path))); got != "[a b c d]" {
		t.Errorf("read %s", got)
	}
}
