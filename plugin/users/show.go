package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Show returns one account.
func (s *Service) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	_, a, err := s.read(ctx, who, username)
	return a, attempted("show an account", err)
}

// read returns an account to an administrator. It refuses: Invalid,
// NotAuthenticated, NotPermitted, NotFound, Unavailable.
func (s *Service) read(ctx context.Context, who account.Caller, username string) (found *stored, public account.Account, err error) {
	run, err := s.running()
	if err != nil {
		return nil, account.Account{}, err
	}
	if username, err = account.NormalizeUsername(username); err != nil {
		return nil, account.Account{}, err
	}
	err = run.store.View(ctx, func(r Reader) error {
		if err := checkCaller(r, who); err != nil {
			return err
		}
		var err error
		if found, err = accountIn(r, username); err != nil {
			return err
		}
		if found == nil {
			return account.NotFound(username)
		}
		public, err = publicIn(r, username, found)
		return err
	})
	return found, public, err
}
