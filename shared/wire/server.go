package wire

import (
	"context"

	"github.com/cinchapi/concourse-users/shared/account"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// server serves the generated service from an account.Users.
type server struct {
	usersv1.UnimplementedUsersServer
	users account.Users
}

func (s *server) Configure(ctx context.Context, r *usersv1.ConfigureRequest) (*usersv1.ConfigureResponse, error) {
	d, err := s.users.Configure(ctx, account.Configuration{Home: r.GetHome(), Settings: r.GetSettings()})
	if err != nil {
		return nil, err
	}
	return &usersv1.ConfigureResponse{
		Name: d.Name, Version: d.Version, Capabilities: d.Capabilities, StoreId: d.StoreID, Initialized: d.Initialized,
	}, nil
}

func (s *server) Initialize(ctx context.Context, r *usersv1.InitializeRequest) (*usersv1.InitializeResponse, error) {
	id, err := account.ParseRequestID(r.GetRequestId())
	if err != nil {
		return nil, err
	}
	i, err := s.users.Initialize(ctx, account.FirstAdministrator{
		Username: r.GetUsername(), Password: r.GetPassword(), RequestID: id, Host: r.GetHost(),
	})
	if err != nil {
		return nil, err
	}
	return &usersv1.InitializeResponse{Changed: i.Changed, Warning: i.Warning}, nil
}

func (s *server) Authenticate(ctx context.Context, r *usersv1.AuthenticateRequest) (*usersv1.AuthenticateResponse, error) {
	listener, err := ListenerFromProto(r.GetListener())
	if err != nil {
		return nil, err
	}
	l, err := s.users.Authenticate(ctx, account.Credentials{
		Username: r.GetUsername(), Password: r.GetPassword(), Listener: listener, Probe: r.GetProbe(),
	})
	if err != nil {
		return nil, err
	}
	return &usersv1.AuthenticateResponse{Account: AccountToProto(l.Account), Revision: uint64(l.Revision)}, nil
}

func (s *server) Exists(ctx context.Context, r *usersv1.ExistsRequest) (*usersv1.ExistsResponse, error) {
	exists, err := s.users.Exists(ctx, r.GetUsername())
	if err != nil {
		return nil, err
	}
	return &usersv1.ExistsResponse{Exists: exists}, nil
}

// mutate unpacks the invocation, carries out the change and packs its outcome.
func mutate(in *usersv1.Invocation, change func(account.Invocation) (account.Change, error)) (*usersv1.Change, error) {
	invocation, err := invocationFromProto(in)
	if err != nil {
		return nil, err
	}
	c, err := change(invocation)
	if err != nil {
		return nil, err
	}
	return changeToProto(c), nil
}

func (s *server) Create(ctx context.Context, r *usersv1.CreateRequest) (*usersv1.Change, error) {
	role, err := RoleFromProto(r.GetRole())
	if err != nil {
		return nil, err
	}
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Create(ctx, in, account.Create{
			Username: r.GetUsername(), Password: r.GetPassword(), Role: role, IfNotExists: r.GetIfNotExists(),
		})
	})
}

func (s *server) Edit(ctx context.Context, r *usersv1.EditRequest) (*usersv1.Change, error) {
	role, err := RoleFromProto(r.GetRole())
	if err != nil {
		return nil, err
	}
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Edit(ctx, in, account.Edit{Username: r.GetUsername(), Role: role, Password: OptionalSecret(r.Password)})
	})
}

func (s *server) Password(ctx context.Context, r *usersv1.PasswordRequest) (*usersv1.Change, error) {
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Password(ctx, in, account.Password{Username: r.GetUsername(), Password: r.GetPassword()})
	})
}

func (s *server) Delete(ctx context.Context, r *usersv1.DeleteRequest) (*usersv1.Change, error) {
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Delete(ctx, in, account.Delete{Username: r.GetUsername(), IfExists: r.GetIfExists()})
	})
}

func (s *server) Grant(ctx context.Context, r *usersv1.GrantRequest) (*usersv1.Change, error) {
	permission, err := PermissionFromProto(r.GetPermission())
	if err != nil {
		return nil, err
	}
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Grant(ctx, in, account.Grant{Username: r.GetUsername(), Permission: permission, Environment: r.GetEnvironment()})
	})
}

func (s *server) Revoke(ctx context.Context, r *usersv1.RevokeRequest) (*usersv1.Change, error) {
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Revoke(ctx, in, account.Revoke{Username: r.GetUsername(), Environment: r.GetEnvironment()})
	})
}

func (s *server) Suspend(ctx context.Context, r *usersv1.SuspendRequest) (*usersv1.Change, error) {
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Suspend(ctx, in, r.GetUsername())
	})
}

func (s *server) Enable(ctx context.Context, r *usersv1.EnableRequest) (*usersv1.Change, error) {
	return mutate(r.GetInvocation(), func(in account.Invocation) (account.Change, error) {
		return s.users.Enable(ctx, in, r.GetUsername())
	})
}

func (s *server) Apply(ctx context.Context, r *usersv1.ApplyRequest) (*usersv1.Applied, error) {
	in, err := invocationFromProto(r.GetInvocation())
	if err != nil {
		return nil, err
	}
	return applied(r.GetDesired(), func(d account.Desired) (account.Applied, error) {
		return s.users.Apply(ctx, in, d)
	})
}

func (s *server) Plan(ctx context.Context, r *usersv1.PlanRequest) (*usersv1.Applied, error) {
	return applied(r.GetDesired(), func(d account.Desired) (account.Applied, error) {
		return s.users.Plan(ctx, callerFromProto(r.GetCaller()), d)
	})
}

func applied(p *usersv1.Desired, apply func(account.Desired) (account.Applied, error)) (*usersv1.Applied, error) {
	d, err := desiredFromProto(p)
	if err != nil {
		return nil, err
	}
	a, err := apply(d)
	if err != nil {
		return nil, err
	}
	return appliedToProto(a), nil
}

func (s *server) Export(ctx context.Context, r *usersv1.ExportRequest) (*usersv1.ExportResponse, error) {
	page, next, err := s.users.Export(ctx, callerFromProto(r.GetCaller()), r.GetAfter())
	if err != nil {
		return nil, err
	}
	resp := &usersv1.ExportResponse{Next: next}
	for _, e := range page {
		resp.Accounts = append(resp.Accounts, &usersv1.ExportedAccount{Account: AccountToProto(e.Account), PasswordHash: e.PasswordHash})
	}
	return resp, nil
}

func (s *server) Backup(_ *usersv1.BackupRequest, stream usersv1.Users_BackupServer) error {
	w := NewChunkWriter(func(data []byte) error { return stream.Send(&usersv1.BackupResponse{Data: data}) })
	if err := s.users.Backup(stream.Context(), w); err != nil {
		return err
	}
	return w.Flush()
}

func (s *server) Recover(ctx context.Context, r *usersv1.RecoverRequest) (*usersv1.Change, error) {
	id, err := account.ParseRequestID(r.GetRequestId())
	if err != nil {
		return nil, err
	}
	c, err := s.users.Recover(ctx, account.Recovery{
		Username: r.GetUsername(), Password: r.GetPassword(), RequestID: id, Host: r.GetHost(),
	})
	if err != nil {
		return nil, err
	}
	return changeToProto(c), nil
}

func (s *server) Restore(stream usersv1.Users_RestoreServer) error {
	r, err := s.users.Restore(stream.Context(), NewChunkReader(func() ([]byte, error) {
		p, err := stream.Recv()
		return p.GetData(), err
	}))
	if err != nil {
		return err
	}
	return stream.SendAndClose(&usersv1.RestoreResponse{
		Accounts: r.Accounts, TakenAt: TimeToProto(r.TakenAt), StoreId: r.StoreID,
	})
}

func (s *server) Show(ctx context.Context, r *usersv1.ShowRequest) (*usersv1.ShowResponse, error) {
	a, err := s.users.Show(ctx, callerFromProto(r.GetCaller()), r.GetUsername())
	if err != nil {
		return nil, err
	}
	return &usersv1.ShowResponse{Account: AccountToProto(a)}, nil
}

func (s *server) List(ctx context.Context, r *usersv1.ListRequest) (*usersv1.ListResponse, error) {
	page, next, err := s.users.List(ctx, callerFromProto(r.GetCaller()), r.GetAfter())
	if err != nil {
		return nil, err
	}
	resp := &usersv1.ListResponse{Next: next}
	for _, a := range page {
		resp.Accounts = append(resp.Accounts, AccountToProto(a))
	}
	return resp, nil
}

func (s *server) CheckPassword(ctx context.Context, r *usersv1.CheckPasswordRequest) (*usersv1.CheckPasswordResponse, error) {
	ok, err := s.users.CheckPassword(ctx, callerFromProto(r.GetCaller()), account.Password{Username: r.GetUsername(), Password: r.GetPassword()})
	if err != nil {
		return nil, err
	}
	return &usersv1.CheckPasswordResponse{Matches: ok}, nil
}

// sessions is called by sessionsHandler.
func (s *server) sessions(ctx context.Context, who account.Caller, rows []account.Session) (*usersv1.SessionsResponse, error) {
	shown, err := s.users.Sessions(ctx, who, rows)
	if err != nil {
		return nil, err
	}
	return WithRows(&usersv1.SessionsResponse{}, appendSessions(nil, sessionsField, shown)), nil
}

func (s *server) Records(ctx context.Context, r *usersv1.RecordsRequest) (*usersv1.RecordsResponse, error) {
	var after account.RequestID
	if r.GetAfter() != "" {
		id, err := account.ParseRequestID(r.GetAfter())
		if err != nil {
			return nil, err
		}
		after = id
	}
	page, next, err := s.users.Records(ctx, after)
	if err != nil {
		return nil, err
	}
	resp := &usersv1.RecordsResponse{}
	for _, record := range page {
		resp.Records = append(resp.Records, recordToProto(record))
	}
	if !next.IsZero() {
		resp.Next = next.String()
	}
	return resp, nil
}

// OptionalSecret keeps the difference between an absent and an empty password.
func OptionalSecret(p []byte) account.Secret {
	if p == nil {
		return nil
	}
	return account.Secret(append([]byte{}, p...))
}
