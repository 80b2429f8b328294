package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Edit changes role, password or both in one transaction, the role first (rule
// 6). An actual role change and a password each raise the generation by one, so
// both together raise it by two; giving an account the role it has raises
// nothing.
func (s *Service) Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	username, err := account.NormalizeUsername(r.Username)
	if err != nil {
		return account.Change{}, err
	}
	if r.Role == "" && r.Password == nil {
		return account.Change{}, account.Invalid("role", "an edit needs a role, a password, or both")
	}
	role := r.Role
	if role != "" {
		if role, err = account.ParseRole(string(r.Role)); err != nil {
			return account.Change{}, err
		}
	}
	now := timestamp()
	return s.carry(ctx, in, mutation{
		verb: account.VerbEdit, target: username,
		setsPassword: r.Password != nil, password: r.Password,
		decide: func(before *stored, hash string) (*stored, error) {
			if before == nil {
				return nil, account.NotFound(username)
			}
			newRole := role != "" && role != before.Role
			if !newRole && r.Password == nil {
				return before, nil
			}
			after := *before
			if newRole {
				after.Role = role
				after.Generation++
			}
			if r.Password != nil {
				after.setPassword(hash, now)
			}
			return &after, nil
		},
	})
}
