package management

import (
	"context"

	"github.com/cinchapi/concourse-users/host/gate"
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

func (s *service) List(r *managementv1.ListRequest, stream managementv1.Management_ListServer) error {
	caller, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer caller.Done()
	f, err := accountFilterFromProto(r)
	if err != nil {
		return err
	}
	return s.gate.List(stream.Context(), caller, f, func(page []account.Account, sessions func(username string) int) error {
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

func accountFilterFromProto(r *managementv1.ListRequest) (f gate.AccountFilter, err error) {
	f.Enabled, f.Environment = r.Enabled, r.GetEnvironment()
	if f.Role, err = wire.RoleFromProto(r.GetRole()); err != nil {
		return f, err
	}
	if f.LastLoginBefore, err = wire.TimeFromProto(r.GetLastLoginBefore()); err != nil {
		return f, account.Invalid("last_login_before", "the time is none: %v", err)
	}
	return f, nil
}

func (s *service) Export(_ *managementv1.ExportRequest, stream managementv1.Management_ExportServer) error {
	caller, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer caller.Done()
	return s.gate.Export(stream.Context(), caller, func(page []account.Exported) error {
		rows := make([]*managementv1.ExportedAccount, len(page))
		for i, e := range page {
			rows[i] = &managementv1.ExportedAccount{Account: wire.AccountToProto(e.Account), PasswordHash: e.PasswordHash}
		}
		for batch := range inBatches(rows) {
			if err := stream.Send(&managementv1.ExportResponse{Accounts: batch}); err != nil {
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
