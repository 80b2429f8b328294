package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Delete removes an account for good, the caller's own included, unless it is
// the last enabled ADMIN.
func (s *Service) Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	username, err := account.NormalizeUsername(r.Username)
	if err != nil {
		return account.Change{}, err
	}
	return s.carry(ctx, in, mutation{
		verb: account.VerbDelete, target: username,
		decide: func(before *stored, _ string) (*stored, error) {
			if before == nil && !r.IfExists {
				return nil, account.NotFound(username)
			}
			return nil, nil
		},
	})
}
