package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// beside is where a file is built that is to replace the store's, or to become
// it. The name is fixed, so that a crash leaves at most one, which Open removes,
// and is such that nobody keeps anything under it; Open refuses a store there.
func beside(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+restoring)
}

const restoring = ".restoring"

// isBeside reports whether the path is one that beside returns.
func isBeside(path string) bool {
	base := filepath.Base(path)
	return strings.HasPrefix(base, ".") && strings.HasSuffix(base, restoring)
}

// Replace builds a file beside the store's, checks it, and renames it over the
// store's, which is held all the while: its lock keeps others from both.
func (s *Store) Replace(ctx context.Context, fill func(put func(users.Key, []byte) error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	failed := s.feed.ended() // of a commit that may or may not hold
	if !s.retire(account.Unavailable("the store %s was to be replaced, and must be opened anew", s.path)) {
		return s.why
	}
	if failed != nil {
		return failed
	}
	var next account.Revision
	if err := s.db.View(func(tx *bbolt.Tx) error {
		next = revision(tx) + 1
		return nil
	}); err != nil {
		return err
	}
	path, err := followed(s.path) // a link stays one
	if err != nil {
		return s.irreplaceable(err)
	}
	defer os.Remove(beside(path)) // unless it was moved
	var refused error
	if err := build(beside(path), next, func(put func(users.Key, []byte) error) error {
		refused = fill(func(key users.Key, value []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return s.irreplaceable(put(key, value))
		})
		return refused
	}); err != nil {
		return cmp.Or(refused, s.irreplaceable(err))
	}
	if err := os.Rename(beside(path), path); err != nil {
		return s.irreplaceable(err)
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return fmt.Errorf("the store %s was replaced, and a power cut may undo that: %w", s.path, err)
	}
	return nil
}

// irreplaceable says why the store stayed as it was.
func (s *Store) irreplaceable(err error) error {
	if err == nil {
		return nil
	}
	return account.Unavailable("the store %s cannot be replaced: %v", s.path, err)
}

// build makes a store in a new file. When it returns nil the file's contents
// are on disk; its name is not.
func build(path string, at account.Revision, fill func(put func(users.Key, []byte) error) error) (err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	o := *bbolt.DefaultOptions
	o.NoSync = true // there is one at the end
	db, err := bbolt.Open(path, 0o600, &o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	b := &builder{db: db}
	defer b.rollback()
	if err := b.begin(); err != nil {
		return err
	}
	if err := layOut(b.tx); err != nil {
		return err
	}
	if err := fill(b.put); err != nil {
		return err
	}
	if err := b.tx.Bucket(fileBucket).SetSequence(uint64(at)); err != nil {
		return err
	}
	if err := b.commit(); err != nil {
		return err
	}
	if err := db.Sync(); err != nil {
		return err
	}
	return db.View(inspectPages)
}

// inspectPages finds what is wrong with a file that was just written.
func inspectPages(tx *bbolt.Tx) error {
	var first error
	for err := range tx.Check() { // to its end, or it goes on without us
		if first == nil {
			first = fmt.Errorf("the file that was written is inconsistent: %w", err)
		}
	}
	return first
}

// fullPages is how much of a page names in order fill. It leaves some room for
// later changes.
const fullPages = 0.9

// builder fills a file in transactions of a bounded size.
type builder struct {
	db    *bbolt.DB
	tx    *bbolt.Tx // nil: none is open
	bytes int       // written in it
}

func (b *builder) begin() (err error) {
	b.tx, err = b.db.Begin(true)
	b.bytes = 0
	return err
}

func (b *builder) commit() error {
	err := b.tx.Commit()
	b.tx = nil
	return err
}

func (b *builder) rollback() {
	if b.tx != nil {
		b.tx.Rollback()
	}
}

func (b *builder) put(key users.Key, value []byte) error {
	if b.bytes >= maxGroupBytes {
		if err := b.commit(); err != nil {
			return err
		}
		if err := b.begin(); err != nil {
			return err
		}
	}
	into, err := bucket(b.tx, key.Space)
	if err != nil {
		return err
	}
	if err := checkWrite(key, value); err != nil {
		return err
	}
	into.FillPercent = fullPages
	b.bytes += len(key.Name) + len(value)
	return into.Put([]byte(key.Name), append([]byte{}, value...)) // bbolt keeps it until the commit
}
