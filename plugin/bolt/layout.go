package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Layout is the version of the file's layout that this package reads and
// writes: one bucket for each users.Space, and one for the file itself, whose
// sequence is the revision and which holds this number.
const Layout = 1

var (
	fileBucket = []byte("concourse-users")
	layoutKey  = []byte("layout")
)

// readLayout reports whether the database is empty, and refuses one that is
// not ours.
func readLayout(tx *bbolt.Tx, path string) (empty bool, err error) {
	b := tx.Bucket(fileBucket)
	if b == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return false, notAStore(path, "it is a bolt database of another program")
		}
		return true, nil
	}
	number := b.Get(layoutKey)
	if len(number) > 10 { // as long as a damaged page says, which may be gigabytes
		number = nil
	}
	layout, err := strconv.Atoi(string(number))
	switch {
	case err != nil || layout < 1:
		return false, notAStore(path, "it names no layout")
	case layout > Layout:
		e := account.Unsupported(fmt.Sprintf("store layout %d", layout))
		e.Message = fmt.Sprintf("the store %s has layout %d, written by a newer release; this one reads layout %d and leaves it as it is; use that release", path, layout, Layout)
		return false, e
	}
	for _, space := range users.Spaces() {
		if tx.Bucket([]byte(space)) == nil {
			return false, notAStore(path, fmt.Sprintf("it has no bucket %q", space))
		}
	}
	return false, nil
}

// prepare makes an empty database a store, and returns the revision.
func prepare(db *bbolt.DB, path string) (reached account.Revision, err error) {
	// A process that was killed between writing a commit and syncing it leaves
	// the commit readable, but not on disk; nothing may build on it before it is.
	// A new file's name is likewise to be made durable, with the directory.
	if err := errors.Join(db.Sync(), syncDirectory(filepath.Dir(path))); err != nil {
		return 0, account.Unavailable("the store %s cannot be synced: %v", path, err)
	}
	empty := false
	err = db.View(func(tx *bbolt.Tx) error {
		if empty, err = readLayout(tx, path); err == nil && !empty {
			reached = revision(tx)
		}
		return err
	})
	if err != nil || !empty {
		return reached, err
	}
	err = db.Update(layOut)
	if err != nil {
		return 0, account.Unavailable("the store %s cannot be created: %v", path, err)
	}
	return 0, nil
}

// layOut makes an empty database an empty store, at revision 0.
func layOut(tx *bbolt.Tx) error {
	for _, space := range users.Spaces() {
		if _, err := tx.CreateBucket([]byte(space)); err != nil {
			return err
		}
	}
	b, err := tx.CreateBucket(fileBucket)
	if err != nil {
		return err
	}
	return b.Put(layoutKey, strconv.AppendInt(nil, Layout, 10))
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
