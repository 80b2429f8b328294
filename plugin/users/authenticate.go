package users

import (
	"context"
	"errors"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Authenticate checks a password. The account and its revision are those read
// before hashing, and are not read again after it: the host registered the
// login before it asked, and compares generations on any revocation since
// (rule 4), so a change in between never slips through. The login is written
// down off the answer's path; a weak hash is renewed on it, once. A probe is no
// login: it does neither, and changes nothing.
func (s *Service) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	run, err := s.running()
	if err != nil {
		return account.Login{}, err
	}
	found, login, err := lookUp(ctx, run.store, c.Username)
	if err != nil {
		return account.Login{}, attempted("read the account of a login", err)
	}
	renew := found != nil && found.Enabled && !c.Probe && run.directory == nil
	v, err := s.verify(ctx, run, purposeOf(c.Listener), c.Username, found, c.Password, renew)
	switch {
	case err != nil:
		return account.Login{}, attempted("verify the password of a login", err)
	case !v.matches:
		return account.Login{}, account.NotAuthenticated()
	case !found.Enabled:
		return account.Login{}, account.NotPermitted(account.ReasonSuspended, "the account is suspended")
	}
	if v.renewed != "" {
		if err := renewHash(ctx, run.store, login.Account, found.Hash, v.renewed); err != nil {
			s.logger.Warn("a weak password hash could not be renewed", "account_id", login.Account.ID, "error", err)
		}
	}
	if !c.Probe && run.directory == nil {
		run.signedIn(signIn{username: login.Account.Username, id: login.Account.ID, at: timestamp()})
	}
	return login, nil
}

// verify checks a password against the account found, nil for none, or lets a
// directory that can do so by itself.
func (s *Service) verify(ctx context.Context, run *running, p purpose, name string, found *stored, password account.Secret, renew bool) (verdict, error) {
	if run.directory == nil || run.directory.verifier == nil {
		hash := ""
		if found != nil {
			hash = found.Hash
		}
		if hash != "" || run.directory == nil {
			return s.hasher.verify(ctx, p, hash, password, renew)
		}
		_, err := s.hasher.verify(ctx, p, run.directory.decoy(name), password, false)
		return verdict{}, err
	}
	username, err := account.NormalizeUsername(name)
	if err != nil || len(password) == 0 || len(password) > account.MaxPassword {
		return verdict{}, nil // told from the question alone
	}
	matches, err := run.directory.verifier.Verify(ctx, username, password)
	return verdict{matches: matches && err == nil && found != nil}, err
}

// lookUp reads the account that a login names. For a name that nobody has, or
// that is none, found is nil.
func lookUp(ctx context.Context, store Store, name string) (found *stored, login account.Login, err error) {
	username, invalid := account.NormalizeUsername(name)
	err = store.View(ctx, func(r Reader) error {
		found, login = nil, account.Login{Revision: r.Revision()}
		if invalid != nil {
			return nil
		}
		var err error
		if found, err = accountIn(r, username); err != nil || found == nil {
			return err
		}
		login.Account, err = publicIn(r, username, found)
		return err
	})
	return found, login, err
}

// renewHash replaces a hash by a stronger one of the same password, if it is
// still the one that was verified. Nothing changes for the account's tokens, so
// it raises no generation.
func renewHash(ctx context.Context, store Store, a account.Account, verified, stronger string) error {
	_, err := store.Update(ctx, func(tx Tx) error {
		now, err := accountIn(tx, a.Username)
		if err != nil {
			return err
		}
		if now == nil || now.ID != a.ID || now.Hash != verified {
			return errNothingToDo
		}
		now.Hash, now.RenewedFrom = stronger, renewedFrom(verified)
		return put(tx, Key{Accounts, a.Username}, now)
	})
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return err
}
