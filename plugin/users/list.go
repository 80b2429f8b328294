package users

import (
	"context"
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// mostPage bounds the stored size of a page of accounts, in bytes, so that a
// message with it stays well below what a host accepts.
const mostPage = 1 << 20

// List returns accounts in the byte order of their names: at most MaxBatch, and
// about 1 MiB. The name to go on after need not exist any more.
func (s *Service) List(ctx context.Context, who account.Caller, after string) (page []account.Account, next string, err error) {
	entries, next, err := s.page(ctx, who, after)
	if err != nil {
		return nil, "", attempted("list accounts", err)
	}
	for _, e := range entries {
		page = append(page, e.account)
	}
	return page, next, nil
}

// Export is List with password hashes.
func (s *Service) Export(ctx context.Context, who account.Caller, after string) (page []account.Exported, next string, err error) {
	run, err := s.running()
	if err == nil {
		err = run.offers(account.CapabilityExport)
	}
	if err != nil {
		return nil, "", err
	}
	entries, next, err := s.page(ctx, who, after)
	if err != nil {
		return nil, "", attempted("export accounts", err)
	}
	for _, e := range entries {
		page = append(page, account.Exported{Account: e.account, PasswordHash: account.Secret(e.hash)})
	}
	return page, next, nil
}

// entry is one account of a page.
type entry struct {
	account account.Account
	hash    string
}

func (s *Service) page(ctx context.Context, who account.Caller, after string) (page []entry, next string, err error) {
	run, err := s.running()
	if err != nil {
		return nil, "", err
	}
	if len(after) > account.MaxUsername {
		return nil, "", account.Invalid("after", "a username has at most %d bytes", account.MaxUsername)
	}
	err = run.store.View(ctx, func(r Reader) error {
		if err := checkCaller(r, who); err != nil {
			return err
		}
		var err error
		page, next, err = pageIn(r, after)
		return err
	})
	return page, next, err
}

func pageIn(r Reader, after string) (page []entry, next string, err error) {
	size := 0
	err = r.Scan(Accounts, after, func(name string, value []byte) error {
		size += len(value)
		if len(page) == account.MaxBatch || len(page) > 0 && size > mostPage {
			next = page[len(page)-1].account.Username
			return ErrStop
		}
		var s stored
		if err := decode(Accounts, value, &s); err != nil {
			return fmt.Errorf("the entry of '%s': %w", account.Printable(name), err)
		}
		page = append(page, entry{s.account(name, time.Time{}), s.Hash})
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	signIns := make([]Key, 0, len(page))
	for _, e := range page {
		signIns = append(signIns, signInKey(e.account.ID))
	}
	if err := prefetch(r, signIns); err != nil {
		return nil, "", err
	}
	for i := range page {
		if page[i].account.LastLoginAt, err = lastSignIn(r, page[i].account.ID); err != nil {
			return nil, "", err
		}
	}
	return page, next, nil
}
