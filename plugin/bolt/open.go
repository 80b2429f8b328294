package bolt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Options are the choices that Open leaves to its caller.
type Options struct {
	Logger hclog.Logger // nil: no log

	// Failed is called once, before anyone is answered, when a commit ended so
	// that nobody can tell whether it is on disk. The store refuses everything
	// from then on; only opening the file anew, best in a new process, shows
	// what it holds. Nil: nothing is called.
	Failed func(error)
}

// Open opens the store at path, and creates it if there is none. It refuses,
// with Invalid, a missing directory, a name that Replace uses and a file that is
// not a users store; with Unsupported one that a newer release wrote, by its
// layout or by its contents; and with Unavailable one that another process holds
// longer than ctx or a few seconds. What it refuses it leaves as it is.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	patience := lockPatience
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end)*3/4) // the caller still wants to hear why
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if isBeside(path) {
		return nil, account.Invalid(pathField, "%s is a name that a restore uses; name another path for the store", path)
	}
	if err := inspect(ctx, path, o.Logger); err != nil {
		return nil, err
	}
	if err := create(ctx, path, o.Logger); err != nil {
		return nil, err
	}
	db, err := openFile(ctx, path, false)
	if err != nil {
		return nil, err
	}
	reached, err := prepare(db, path)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	tidy(path, o.Logger)
	return start(db, path, reached, o), nil
}

// inspect refuses what is no store of this layout. It only reads, because
// bbolt may write to a file that it opens for writing.
func inspect(ctx context.Context, path string, logger hclog.Logger) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return inspectDirectory(path)
	case err != nil:
		return account.Unavailable("the store %s cannot be opened: %v", path, err)
	case !info.Mode().IsRegular():
		return account.Invalid(pathField, "%s is not a file", path)
	case info.Size() == 0:
		return nil
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		logger.Warn("the store holds password hashes, and its file is open to others", "path", path, "mode", mode)
	}
	db, err := openFile(ctx, path, true)
	if err != nil {
		return err
	}
	defer db.Close()
	return guard(path, nil, func() error {
		return db.View(func(tx *bbolt.Tx) error {
			info, err := os.Stat(path) // again: who held the lock may have made it longer
			if err != nil {
				return account.Unavailable("the store %s cannot be opened: %v", path, err)
			}
			if tx.Size() > info.Size() {
				return notAStore(path, "it was cut short")
			}
			empty, err := readLayout(tx, path)
			if err != nil || empty {
				return err
			}
			return checkFormat(ctx, tx)
		})
	})
}

// checkFormat refuses contents of a newer release. What else may be wrong with
// them is for the opened store's reader to say.
func checkFormat(ctx context.Context, tx *bbolt.Tx) error {
	err := users.CheckFormat(&reader{ctx: ctx, tx: tx})
	if account.KindOf(err) == account.KindUnsupported {
		return err
	}
	return nil
}

func inspectDirectory(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return account.Invalid(pathField, "the directory %s does not exist; create it, or name another path for the store", dir)
	case err != nil:
		return account.Unavailable("the store %s cannot be created: %v", path, err)
	case !info.IsDir():
		return account.Invalid(pathField, "%s is not a directory; name another path for the store", dir)
	}
	return nil
}
