package gate

import (
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// AccountFilter lets through the accounts that match every field that is set.
// The host applies it, page by page, so that no backend has to.
type AccountFilter struct {
	Role            account.Role
	Enabled         *bool
	Environment     string    // holds a grant in it
	LastLoginBefore time.Time // never is before every time
}

func (f *AccountFilter) check() error {
	if f.Environment == "" {
		return nil
	}
	return account.CheckEnvironment(f.Environment)
}

// of returns those of the accounts that pass.
func (f *AccountFilter) of(page []account.Account) []account.Account {
	if *f == (AccountFilter{}) {
		return page
	}
	var chosen []account.Account
	for i := range page {
		if f.passes(&page[i]) {
			chosen = append(chosen, page[i])
		}
	}
	return chosen
}

func (f *AccountFilter) passes(a *account.Account) bool {
	switch {
	case f.Role != "" && a.Role != f.Role:
	case f.Enabled != nil && a.Enabled != *f.Enabled:
	case f.Environment != "" && len(a.Grants[f.Environment]) == 0:
	case !f.LastLoginBefore.IsZero() && !a.LastLoginAt.Before(f.LastLoginBefore):
	default:
		return true
	}
	return false
}
