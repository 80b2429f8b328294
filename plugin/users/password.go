package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Password sets a password. It does not enable a suspended account, and setting
// the same password again is a change like any other.
func (s *Service) Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	username, err := account.NormalizeUsername(r.Username)
	if err != nil {
		return account.Change{}, err
	}
	now := timestamp()
	return s.carry(ctx, in, mutation{
		verb: account.VerbPassword, target: username,
		setsPassword: true, password: r.Password,
		decide: func(before *stored, hash string) (*stored, error) {
			if before == nil {
				return nil, account.NotFound(username)
			}
			after := *before
			after.setPassword(hash, now)
			return &after, nil
		},
	})
}
