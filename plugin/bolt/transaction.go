package bolt

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// revision is the sequence of the file's own bucket, raised once for each
// Update that changed something.
func revision(tx *bbolt.Tx) account.Revision {
	return account.Revision(tx.Bucket(fileBucket).Sequence())
}

// reader reads one state of the file.
type reader struct {
	ctx context.Context
	tx  *bbolt.Tx
}

var _ users.Reader = (*reader)(nil)

// Revision returns that of the last change in this state.
func (r *reader) Revision() account.Revision { return revision(r.tx) }

// Get returns nil for an absent key.
func (r *reader) Get(key users.Key) ([]byte, error) {
	b, err := bucket(r.tx, key.Space)
	if err != nil {
		return nil, err
	}
	return b.Get([]byte(key.Name)), nil
}

// Scan walks the space in byte order, and stops when the caller's time ends.
func (r *reader) Scan(space users.Space, after string, fn func(name string, value []byte) error) error {
	b, err := bucket(r.tx, space)
	if err != nil {
		return err
	}
	c := b.Cursor()
	k, v := c.Seek([]byte(after))
	if k != nil && string(k) == after {
		k, v = c.Next()
	}
	for ; k != nil; k, v = c.Next() {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		switch err := fn(string(k), v); {
		case errors.Is(err, users.ErrStop):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

func bucket(tx *bbolt.Tx, space users.Space) (*bbolt.Bucket, error) {
	if b := tx.Bucket([]byte(space)); b != nil && string(space) != string(fileBucket) {
		return b, nil
	}
	return nil, fmt.Errorf("there is no space %q", space)
}

// overlay holds what one Update writes over the state that the earlier ones of
// its group left, so that it can be dropped without them. A nil value is a
// deletion.
type overlay struct {
	reader
	writes map[users.Key][]byte
	bytes  int
}

var _ users.Tx = (*overlay)(nil)

// Get sees the overlay's own writes; Scan, which is for listings, does not.
func (o *overlay) Get(key users.Key) ([]byte, error) {
	if value, ok := o.writes[key]; ok {
		return value, nil
	}
	return o.reader.Get(key)
}

// Put refuses a key that no store may hold, and a value that bbolt cannot.
func (o *overlay) Put(key users.Key, value []byte) error {
	return o.write(key, append(make([]byte, 0, len(value)), value...))
}

// Delete of an absent key changes nothing.
func (o *overlay) Delete(key users.Key) error { return o.write(key, nil) }

func (o *overlay) write(key users.Key, value []byte) error {
	if _, err := bucket(o.tx, key.Space); err != nil {
		return err
	}
	if err := checkWrite(key, value); err != nil {
		return err
	}
	if o.writes == nil {
		o.writes = make(map[users.Key][]byte)
	}
	o.writes[key] = value
	o.bytes += len(key.Name) + len(value)
	return nil
}

// checkWrite refuses a key that no store may hold, and a value that bbolt cannot.
func checkWrite(key users.Key, value []byte) error {
	if n := len(key.Name); n == 0 || n > users.MaxName {
		return fmt.Errorf("a key's name in %q has %d bytes; it may have 1 to %d", key.Space, n, users.MaxName)
	}
	if len(value) > bbolt.MaxValueSize {
		return fmt.Errorf("a value of %d bytes in %q is too large", len(value), key.Space)
	}
	return nil
}

// merge writes the overlay into the transaction under it. It returns the
// account changes among what it wrote, and whether that was anything.
func (o *overlay) merge() (events []users.Event, changed bool, err error) {
	for key, value := range o.writes {
		b, name := o.tx.Bucket([]byte(key.Space)), []byte(key.Name)
		switch {
		case value != nil:
			err = b.Put(name, value)
		case b.Get(name) != nil:
			err = b.Delete(name)
		default:
			continue
		}
		if err != nil {
			return nil, false, err
		}
		changed = true
		if key.Space == users.Accounts {
			events = append(events, users.Event{Name: key.Name, Value: value})
		}
	}
	return events, changed, nil
}
