package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/cinchapi/concourse-users/shared/account"
)

// How long Open waits at most for a file that another process holds, and how
// often it looks.
const (
	lockPatience = 5 * time.Second
	lockRetry    = 50 * time.Millisecond
)

// A commit that outgrows the map of the file waits for every View, and new Views
// wait for it. So what is mapped at first is more than most stores come to, and
// a larger store gets another GiB at a time. It takes addresses, which a 32-bit
// process lacks, and neither memory nor disk: the file grows by what a commit
// needs and fileGrowth, which stays a hole until it is written.
const (
	mapped     = 1 << 30
	fileGrowth = 1 << 20 // bbolt's own is 16 MiB, which makes a small file look like a large one
)

// pathField is what the operator calls the path, for refusals.
const pathField = "plugin.settings.path"

// openFile waits for the file's lock.
func openFile(ctx context.Context, path string, readOnly bool) (*bbolt.DB, error) {
	for {
		db, err := tryOpen(path, readOnly)
		if !errors.Is(err, berrors.ErrTimeout) {
			return db, err
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return nil, heldByAnother(path)
		}
	}
}

func heldByAnother(path string) error {
	return account.Unavailable("the store %s is held by another process; only one can use it at a time", path)
}

func tryOpen(path string, readOnly bool) (db *bbolt.DB, err error) {
	var file *os.File
	o := *bbolt.DefaultOptions
	o.ReadOnly = readOnly
	o.Timeout = 1 // the shortest: one attempt
	if !readOnly && strconv.IntSize == 64 {
		o.InitialMmapSize = mapped
	}
	o.OpenFile = func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	err = guard(path, func() { file.Close() }, func() error {
		db, err = bbolt.Open(path, 0o600, &o)
		return err
	})
	if err == nil && !inPlace(file, path) {
		db.Close()
		err = berrors.ErrTimeout // of another file now, which is to be waited for
	}
	if err == nil && !readOnly {
		if err = renew(file, db.Info().PageSize); err != nil {
			db.Close()
		}
	}
	if err == nil {
		db.AllocSize = fileGrowth
	}
	switch {
	case err == nil || errors.Is(err, berrors.ErrTimeout) || account.KindOf(err) != account.KindInternal:
		return db, err
	case errors.As(err, new(syscall.Errno)):
		return nil, account.Unavailable("the store %s cannot be opened: %v", path, err)
	}
	return nil, notAStore(path, err.Error())
}

// renew writes the pages that say which state is current once more, as they are,
// for the next sync. When a sync has failed, the system counts what it was to
// write as written and shows it to everybody, and later syncs succeed, although
// none of it need be on disk. The process that met the failure ended with it;
// this one must not build on a state that a power cut undoes. All else of the
// state was synced before these pages were written.
func renew(file *os.File, pageSize int) error {
	current := make([]byte, 2*pageSize)
	if _, err := file.ReadAt(current, 0); err != nil {
		return err
	}
	_, err := file.WriteAt(current, 0)
	return err
}

// inPlace reports whether the path still leads to the file. A lock that another
// process had may have ended with the file's being replaced.
func inPlace(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(opened, now)
}

// guard turns the panics and memory faults with which bbolt meets a damaged
// file into a refusal; release lets go of what a panic left behind.
func guard(path string, release func(), fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if release != nil {
				release()
			}
			err = notAStore(path, fmt.Sprint(p))
		}
	}()
	return fn()
}

func notAStore(path, why string) error {
	return account.Invalid(pathField, "%s is not a users store, or is damaged: %s; to restore a backup, move that file away first", path, why)
}
