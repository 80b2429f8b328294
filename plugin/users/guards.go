package users

import (
	"errors"

	"github.com/cinchapi/concourse-users/shared/account"
)

// checkCaller refuses a caller whose session is no longer good, and one that
// is not an ADMIN (rule 8). It reads the caller's account, so that an Update
// that begins with it commits only if the caller's rights still hold then.
func checkCaller(r Reader, who account.Caller) error {
	name, err := account.NormalizeUsername(who.Username)
	if err != nil || name != who.Username {
		return account.SessionEnded()
	}
	s, err := accountIn(r, name)
	switch {
	case err != nil:
		return err
	case s == nil || s.ID != who.AccountID || s.Generation != who.Generation || !s.Enabled:
		return account.SessionEnded()
	case s.Role != account.Admin:
		return account.NotPermitted(account.ReasonNeedsAdmin, "only an ADMIN may do that; log in as one")
	}
	return nil
}

// adminsAfter returns the counter of enabled ADMINs as it is and as a change of
// one account from before to after (nil: none) leaves it, and refuses with
// LAST_ADMIN a change that would leave none (rule 7). It reads the counter only
// if the change moves it.
func adminsAfter(r Reader, target string, before, after *stored) (is, will int, err error) {
	was, becomes := before.administers(), after.administers()
	if was == becomes {
		return 0, 0, nil
	}
	found, err := get(r, adminsKey, &is)
	if err != nil {
		return 0, 0, err
	}
	if !found {
		return 0, 0, errors.New("the store has no counter of enabled ADMINs")
	}
	if becomes {
		return is, is + 1, nil
	}
	if is <= 1 {
		return 0, 0, account.Refused(account.ReasonLastAdmin, target, "'%s' is the last enabled ADMIN; make or enable another one first", account.Printable(target))
	}
	return is, is - 1, nil
}
