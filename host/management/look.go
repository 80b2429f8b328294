package management

import (
	"context"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

func (s *service) Show(ctx context.Context, r *managementv1.ShowRequest) (*managementv1.ShowResponse, error) {
	caller, err := s.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer caller.Done()
	a, sessions, err := s.gate.Show(ctx, caller, r.GetUsername())
	if err != nil {
		return nil, err
	}
	return &managementv1.ShowResponse{Account: listedToProto(a, sessions)}, nil
}

func (s *service) List(_ *managementv1.ListRequest, stream managementv1.Management_ListServer) error {
	caller, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer caller.Done()
	return s.gate.List(stream.Context(), caller, func(page []account.Account, sessions func(username string) int) error {
		rows := make([]*managementv1.ListedAccount, len(page))
		for i, a := range page {
			rows[i] = listedToProto(a, sessions(a.Username))
		}
		for batch := range inBatches(rows) {
			if err := stream.Send(&managementv1.ListResponse{Accounts: batch}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *service) CheckPassword(ctx context.Context, r *managementv1.CheckPasswordRequest) (*managementv1.CheckPasswordResponse, error) {
	caller, err := s.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer caller.Done()
	ok, err := s.gate.CheckPassword(ctx, caller, account.Password{Username: r.GetUsername(), Password: r.GetPassword()})
	if err != nil {
		return nil, err
	}
	return &managementv1.CheckPasswordResponse{Matches: ok}, nil
}

func (s *service) Sessions(r *managementv1.SessionsRequest, stream managementv1.Management_SessionsServer) error {
	caller, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer caller.Done()
	return s.gate.Sessions(stream.Context(), caller, filterOf(r), sendSessions(stream.Send))
}

func (s *service) Disconnect(ctx context.Context, r *managementv1.DisconnectRequest) (*managementv1.DisconnectResponse, error) {
	caller, err := s.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer caller.Done()
	var ended int
	switch what := r.GetWhat().(type) {
	case *managementv1.DisconnectRequest_Username:
		ended, err = s.gate.DisconnectAccount(ctx, caller, what.Username)
	case *managementv1.DisconnectRequest_SessionId:
		ended, err = s.gate.DisconnectSession(ctx, caller, what.SessionId)
	default:
		err = account.Invalid("username", "either a username or a session id says what to disconnect")
	}
	if err != nil {
		return nil, err
	}
	return &managementv1.DisconnectResponse{Ended: uint64(ended)}, nil
}

func filterOf(r *managementv1.SessionsRequest) session.Filter {
	return session.Filter{Account: r.GetAccount(), Address: r.GetAddress(), Environment: r.GetEnvironment()}
}

func sendSessions(send func(*managementv1.SessionsResponse) error) func([]account.Session) error {
	return func(rows []account.Session) error {
		for batch := range inBatches(wire.SessionsToProto(rows)) {
			if err := send(&managementv1.SessionsResponse{Sessions: batch}); err != nil {
				return err
			}
		}
		return nil
	}
}
