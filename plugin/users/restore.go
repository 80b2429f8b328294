package users

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// Restore gives the store what a backup holds, under a new identity and with
// the enabled ADMINs counted anew, if all of it is as a Service would have
// written it; otherwise the store stays as it was. Calls that come later are
// refused, however it ends.
func (s *Service) Restore(ctx context.Context, r io.Reader) (account.Restored, error) {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	run, err := s.running()
	if err != nil {
		return account.Restored{}, err
	}
	store, ok := run.store.(Replacer)
	if !ok {
		return account.Restored{}, account.Unsupported(account.CapabilityRestore)
	}
	run.replaced.Store(true)
	run.stop()
	run.background.Wait()

	fresh := identity{Format: format, StoreID: rand.Text(), CreatedAt: timestamp()}
	var found *contents
	err = store.Replace(ctx, func(put func(Key, []byte) error) error {
		var err error
		if found, err = s.inspect(ctx, r, func(k Key, value []byte) error {
			if k == identityKey || k == adminsKey {
				return nil
			}
			return put(k, value)
		}); err != nil {
			return err
		}
		return found.identify(fresh, put)
	})
	if err != nil {
		if flaw, ok := errors.AsType[*backup.Flaw](err); ok {
			err = account.Invalid("backup", "the backup cannot be restored: %v", flaw)
		}
		return account.Restored{}, attempted("restore a backup", err)
	}
	return account.Restored{Accounts: found.accounts, TakenAt: found.header.TakenAt, StoreID: fresh.StoreID}, nil
}

// identify puts what a restored store does not take from its backup.
func (c *contents) identify(fresh identity, put func(Key, []byte) error) error {
	for _, e := range []struct {
		key   Key
		value any
	}{{adminsKey, c.admins}, {identityKey, fresh}} {
		value, err := json.Marshal(e.value)
		if err != nil {
			return err
		}
		if err := put(e.key, value); err != nil {
			return err
		}
	}
	return nil
}
