package users

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Initialize makes the first ADMIN, the counter of enabled ADMINs, the
// initialised marker and a request record in one transaction. A store that has
// the marker is left alone, whatever the arguments; Changed then says whether
// the same request had made it. It also refuses: Invalid (username, password,
// request_id).
func (s *Service) Initialize(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
	run, err := s.running()
	if err != nil {
		return account.Initialized{}, err
	}
	if err := run.offers(account.CapabilityChange); err != nil {
		return account.Initialized{}, err
	}
	in := account.Invocation{RequestID: first.RequestID, Host: first.Host}
	if err := checkInvocation(in); err != nil {
		return account.Initialized{}, err
	}
	var done, own bool
	if err := run.store.View(ctx, func(r Reader) (err error) {
		if done, own, err = initializedBy(r, in.RequestID); err != nil || done {
			return err
		}
		return checkAge(in.RequestID)
	}); err != nil || done {
		return account.Initialized{Changed: own}, attempted("read the initialised marker", err)
	}
	username, err := account.NormalizeUsername(first.Username)
	if err != nil {
		return account.Initialized{}, err
	}
	prepared, err := prepare(s.hasher.current, first.Password)
	if err != nil {
		return account.Initialized{}, err
	}
	if strings.TrimSpace(prepared) == "" {
		return account.Initialized{}, badPassword("a password must not consist of spaces")
	}
	hash, err := s.hasher.hash(ctx, prepared)
	if err != nil {
		return account.Initialized{}, attempted("hash the first password", err)
	}
	admin := newAccount(account.Admin, hash)
	if _, err := run.store.Update(ctx, func(tx Tx) (err error) {
		if done, own, err = initializedBy(tx, in.RequestID); err != nil || done {
			return err
		}
		if err := checkAge(in.RequestID); err != nil {
			return err
		}
		own = true
		return initialize(tx, in, username, admin)
	}); err != nil {
		return account.Initialized{}, attempted("make the first ADMIN", err)
	}
	out := account.Initialized{Changed: own}
	if own {
		if wrong := run.policy.warning(username, prepared); wrong != "" {
			out.Warning = fmt.Sprintf("the first password %s; change it", wrong)
		}
	}
	return out, nil
}

// initializedBy says whether the store was initialised, and whether by that
// request.
func initializedBy(r Reader, id account.RequestID) (done, own bool, err error) {
	if done, err = initializedIn(r); err != nil || !done {
		return done, false, err
	}
	var v requestValue
	found, err := get(r, requestKey(id), &v)
	return true, found && v.Verb == account.VerbInitialize, err
}

func initialize(tx Tx, in account.Invocation, username string, first *stored) error {
	if taken, err := accountIn(tx, username); err != nil {
		return err
	} else if taken != nil {
		return account.AlreadyExists(username)
	}
	if err := put(tx, Key{Accounts, username}, first); err != nil {
		return err
	}
	if err := put(tx, adminsKey, 1); err != nil {
		return err
	}
	if err := put(tx, initializedKey, initializedMarker{At: first.CreatedAt}); err != nil {
		return err
	}
	made := account.Change{Changed: true, Account: first.account(username, time.Time{})}
	return record(tx, in, account.VerbInitialize, made, first.CreatedAt)
}

// newAccount returns an enabled account of the first generation.
func newAccount(role account.Role, hash string) *stored {
	now := timestamp()
	return &stored{
		ID: account.NewID(), Generation: 1, Role: role, Enabled: true, Hash: hash,
		CreatedAt: now, PasswordChangedAt: now,
	}
}
