package users

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
)

// CheckPassword says whether a password is the account's, suspended or not. A
// password that could never be set is nobody's. Nothing is written down, and a
// weak hash stays.
func (s *Service) CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
	run, err := s.running()
	if err != nil {
		return false, err
	}
	found, _, err := s.read(ctx, who, r.Username)
	if err != nil {
		return false, attempted("check a password", err)
	}
	v, err := s.verify(ctx, run, management, r.Username, found, r.Password, false)
	return v.matches, attempted("check a password", err)
}
