package mem

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Store is a users.Store in memory. Updates run one at a time, beside no View,
// which is the simplest way to be serializable. A function given to View or
// Update must not call the store again.
type Store struct {
	mu       sync.RWMutex // held by transactions; guards the rest
	spaces   map[users.Space]*space
	revision account.Revision
	watchers map[*watcher]struct{}
	closed   bool
}

var (
	_ users.Store    = (*Store)(nil)
	_ users.Replacer = (*Store)(nil)
)

// space is one space's values, and their names in order. Values are never
// changed in place.
type space struct {
	names  []string
	values map[string][]byte
}

// New returns an empty store.
func New() *Store {
	return &Store{spaces: newSpaces(), watchers: map[*watcher]struct{}{}}
}

func newSpaces() map[users.Space]*space {
	all := map[users.Space]*space{}
	for _, name := range users.Spaces() {
		all[name] = &space{values: map[string][]byte{}}
	}
	return all
}

// Open is a users.Backend's Open. It refuses every setting.
func Open(_ context.Context, _ string, settings map[string]string) (users.Store, error) {
	for name := range settings {
		return nil, account.Invalid("plugin.settings."+name, "%q is not a setting of the memory backend; it has none", account.Printable(name))
	}
	return New(), nil
}

// View runs fn while nothing can be written.
func (s *Store) View(ctx context.Context, fn func(users.Reader) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.refuses(ctx); err != nil {
		return err
	}
	return fn(reader{s})
}

// Update runs fn alone, once, and then writes what it put and deleted.
func (s *Store) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(ctx); err != nil {
		return 0, err
	}
	t := &tx{reader: reader{s}, written: map[users.Key][]byte{}}
	if err := fn(t); err != nil {
		return 0, err
	}
	s.revision++
	for key, value := range t.written {
		s.spaces[key.Space].write(key.Name, value)
		if key.Space != users.Accounts {
			continue
		}
		for w := range s.watchers {
			w.push(users.Event{Revision: s.revision, Name: key.Name, Value: bytes.Clone(value)})
		}
	}
	return s.revision, nil
}

// Watch streams what is committed from now on.
func (s *Store) Watch(ctx context.Context) (users.Watcher, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(ctx); err != nil {
		return nil, err
	}
	w := newWatcher(s)
	s.watchers[w] = struct{}{}
	return w, nil
}

// Replace fills spaces of its own, which then take the place of the store's. For
// there is nothing to open anew, the store goes on with them.
func (s *Store) Replace(ctx context.Context, fill func(put func(users.Key, []byte) error) error) error {
	fresh := newSpaces()
	if err := fill(func(key users.Key, value []byte) error {
		if err := check(key); err != nil {
			return err
		}
		fresh[key.Space].write(key.Name, append([]byte{}, value...))
		return ctx.Err()
	}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(ctx); err != nil {
		return err
	}
	s.spaces = fresh
	s.revision++
	for w := range s.watchers {
		w.end(users.ErrFellBehind)
	}
	clear(s.watchers)
	return nil
}

// Close ends the watchers and forgets everything.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for w := range s.watchers {
		w.end(errClosed())
	}
	s.spaces, s.watchers = nil, nil
	return nil
}

// refuses needs mu.
func (s *Store) refuses(ctx context.Context) error {
	if s.closed {
		return errClosed()
	}
	return ctx.Err()
}

func errClosed() error { return account.Unavailable("the store in memory is closed") }

// write puts a value, or deletes the name if it is nil.
func (s *space) write(name string, value []byte) {
	at, found := slices.BinarySearch(s.names, name)
	switch {
	case value != nil:
		if !found {
			s.names = slices.Insert(s.names, at, name)
		}
		s.values[name] = value
	case found:
		s.names = slices.Delete(s.names, at, at+1)
		delete(s.values, name)
	}
}
