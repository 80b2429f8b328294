package etcd

import (
	"github.com/cinchapi/concourse-users/plugin/users"
)

// tx is a reader that collects what is to be written; nil is a deletion.
type tx struct {
	*reader
	written map[string][]byte // by etcd's key
}

var _ users.Tx = (*tx)(nil)

// Get sees the transaction's own writes; Scan, which is for listings, does not.
func (t *tx) Get(k users.Key) ([]byte, error) {
	key, err := t.store.layout.key(k)
	if err != nil {
		return nil, err
	}
	if value, ok := t.written[key]; ok {
		return value, nil
	}
	return t.reader.Get(k)
}

// Put keeps a copy.
func (t *tx) Put(k users.Key, value []byte) error {
	return t.write(k, append(make([]byte, 0, len(value)), value...))
}

// Delete of an absent key changes nothing.
func (t *tx) Delete(k users.Key) error { return t.write(k, nil) }

func (t *tx) write(k users.Key, value []byte) error {
	key, err := t.store.layout.key(k)
	if err == nil {
		t.written[key] = value
	}
	return err
}

// lookUp finds the revisions of keys that are written without having been read,
// which is rare. If it fails, err says so.
func (t *tx) lookUp() {
	var keys []string
	for key := range t.written {
		keys = append(keys, key)
	}
	t.know(keys)
}
