package mem

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// reader reads the store under its lock.
type reader struct{ store *Store }

// tx collects what is to be written; nil is a deletion.
type tx struct {
	reader
	written map[users.Key][]byte
}

var (
	_ users.Reader = reader{}
	_ users.Tx     = (*tx)(nil)
)

func (r reader) Revision() account.Revision { return r.store.revision }

func (r reader) Get(k users.Key) ([]byte, error) {
	if err := check(k); err != nil {
		return nil, err
	}
	return bytes.Clone(r.store.spaces[k.Space].values[k.Name]), nil
}

func (r reader) Scan(space users.Space, after string, fn func(name string, value []byte) error) error {
	s := r.store.spaces[space]
	if s == nil {
		return fmt.Errorf("%q is not a space", space)
	}
	from, found := slices.BinarySearch(s.names, after)
	if found {
		from++
	}
	for _, name := range s.names[from:] {
		if err := fn(name, bytes.Clone(s.values[name])); err != nil {
			if errors.Is(err, users.ErrStop) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (t *tx) Get(k users.Key) ([]byte, error) {
	if value, ok := t.written[k]; ok {
		return bytes.Clone(value), nil
	}
	return t.reader.Get(k)
}

func (t *tx) Put(k users.Key, value []byte) error {
	if err := check(k); err != nil {
		return err
	}
	t.written[k] = append([]byte{}, value...) // never nil
	return nil
}

func (t *tx) Delete(k users.Key) error {
	if err := check(k); err != nil {
		return err
	}
	t.written[k] = nil
	return nil
}

func check(k users.Key) error {
	switch {
	case !slices.Contains(users.Spaces(), k.Space):
		return fmt.Errorf("%q is not a space", k.Space)
	case k.Name == "" || len(k.Name) > users.MaxName:
		return fmt.Errorf("a name in %s must have 1 to %d bytes, not %d", k.Space, users.MaxName, len(k.Name))
	}
	return nil
}
