package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Enable undoes Suspend. An account that is enabled stays as it is.
func (s *Service) Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	username, err := account.NormalizeUsername(username)
	if err != nil {
		return account.Change{}, err
	}
	return s.carry(ctx, in, mutation{
		verb: account.VerbEnable, target: username,
		decide: func(before *stored, _ string) (*stored, error) {
			switch {
			case before == nil:
				return nil, account.NotFound(username)
			case before.Enabled:
				return before, nil
			}
			after := *before
			after.Enabled = true
			after.Generation++
			return &after, nil
		},
	})
}
