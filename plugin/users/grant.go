package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Grant adds one permission in one environment. READ and WRITE are kept side by
// side; a permission that is held already is no error.
func (s *Service) Grant(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	username, err := account.NormalizeUsername(r.Username)
	if err != nil {
		return account.Change{}, err
	}
	permission, err := account.ParsePermission(string(r.Permission))
	if err != nil {
		return account.Change{}, err
	}
	if err := account.CheckEnvironment(r.Environment); err != nil {
		return account.Change{}, err
	}
	return s.carry(ctx, in, mutation{
		verb: account.VerbGrant, target: username,
		decide: func(before *stored, _ string) (*stored, error) {
			switch {
			case before == nil:
				return nil, account.NotFound(username)
			case before.Grants.Holds(r.Environment, permission):
				return before, nil
			case len(before.Grants) >= account.MaxEnvironments && len(before.Grants[r.Environment]) == 0:
				return nil, account.Refused(account.ReasonTooManyGrants, username, "'%s' holds grants in %d environments, the most that one account may; revoke one first", account.Printable(username), account.MaxEnvironments)
			}
			after := *before
			after.Grants = before.Grants.With(r.Environment, permission)
			return &after, nil
		},
	})
}
