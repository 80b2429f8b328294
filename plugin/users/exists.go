package users

import "context"

// Exists says whether an account has the name. It checks no caller: the host
// asks for itself, after it has answered a refused login.
func (s *Service) Exists(ctx context.Context, username string) (bool, error) {
	run, err := s.running()
	if err != nil {
		return false, err
	}
	found, _, err := lookUp(ctx, run.store, username)
	return found != nil, attempted("look for an account", err)
}
