package users

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Revoke takes away every permission in one environment. That there was none is
// no error. For an ADMIN the Note says that the role outweighs it.
func (s *Service) Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	username, err := account.NormalizeUsername(r.Username)
	if err != nil {
		return account.Change{}, err
	}
	if err := account.CheckEnvironment(r.Environment); err != nil {
		return account.Change{}, err
	}
	return s.carry(ctx, in, mutation{
		verb: account.VerbRevoke, target: username,
		decide: func(before *stored, _ string) (*stored, error) {
			switch {
			case before == nil:
				return nil, account.NotFound(username)
			case len(before.Grants[r.Environment]) == 0:
				return before, nil
			}
			after := *before
			if after.Grants = before.Grants.Without(r.Environment); len(after.Grants) == 0 {
				after.Grants = nil // as it comes back from the store
			}
			return &after, nil
		},
		note: func(a account.Account) string {
			if a.Role != account.Admin {
				return ""
			}
			return fmt.Sprintf("'%s' is an ADMIN and still holds every permission in every environment", account.Printable(a.Username))
		},
	})
}
