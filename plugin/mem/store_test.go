package mem_test

import (
	"errors"
	"testing"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/plugin/users/storetest"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) users.Store {
		s := mem.New()
		t.Cleanup(func() { s.Close() })
		return s
	})
	storetest.RunReplacer(t, func(t *testing.T) (users.Store, func() users.Store) {
		s := mem.New()
		t.Cleanup(func() { s.Close() })
		return s, func() users.Store { return s } // closing it would forget all
	})
}

func TestOpen(t *testing.T) {
	t.Run("RefusesSettings", func(t *testing.T) {
		_, err := mem.Open(t.Context(), t.TempDir(), map[string]string{"path": "x"})
		refusal, ok := errors.AsType[*account.Error](err)
		if !ok || refusal.Kind != account.KindInvalid || refusal.Field != "plugin.settings.path" {
			t.Errorf("Open returned %v, want Invalid for plugin.settings.path", err)
		}
	})
}

func TestWatch(t *testing.T) {
	t.Run("ErrFellBehind", func(t *testing.T) {
		s := mem.New()
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range mem.MaxUnread + 1 {
			if _, err := s.Update(t.Context(), func(tx users.Tx) error {
				return tx.Put(users.Key{Space: users.Accounts, Name: "a"}, []byte("a"))
			}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Next(t.Context()); !errors.Is(err, users.ErrFellBehind) {
			t.Errorf("Next returned %v, want ErrFellBehind", err)
		}
	})
}
