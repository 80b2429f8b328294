package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Suspend refuses the account's logins from now on. Nobody suspends themselves
// (rule 8), by whatever name: what counts is the caller's account id.
func (s *Service) Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	username, err := account.NormalizeUsername(username)
	if err != nil {
		return account.Change{}, err
	}
	return s.carry(ctx, in, mutation{
		verb: account.VerbSuspend, target: username,
		decide: func(before *stored, _ string) (*stored, error) {
			switch {
			case before == nil:
				return nil, account.NotFound(username)
			case before.ID == in.Caller.AccountID:
				return nil, suspendsItself(username)
			case !before.Enabled:
				return before, nil
			}
			after := *before
			after.Enabled = false
			after.Generation++
			return &after, nil
		},
	})
}

func suspendsItself(username string) error {
	return account.Refused(account.ReasonSelfSuspend, username, "'%s' cannot suspend itself; another ADMIN can", account.Printable(username))
}
