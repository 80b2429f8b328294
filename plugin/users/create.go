package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Create makes an account, or, with IfNotExists, leaves one of that name as it
// is, whatever the password given.
func (s *Service) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	username, err := account.NormalizeUsername(r.Username)
	if err != nil {
		return account.Change{}, err
	}
	role, err := account.ParseRole(string(r.Role))
	if err != nil {
		return account.Change{}, err
	}
	return s.carry(ctx, in, mutation{
		verb: account.VerbCreate, target: username,
		setsPassword: true, password: r.Password,
		decide: func(before *stored, hash string) (*stored, error) {
			switch {
			case before == nil:
				return newAccount(role, hash), nil
			case r.IfNotExists:
				return before, nil
			}
			return nil, account.AlreadyExists(username)
		},
	})
}
