package management

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// service serves the Management service from the gate.
type service struct {
	managementv1.UnimplementedManagementServer
	gate *gate.Gate
}

// maxClient bounds the name that a program gives itself, in bytes.
const maxClient = 128

func (s *service) Login(ctx context.Context, r *managementv1.LoginRequest) (*managementv1.LoginResponse, error) {
	c := connectionOf(ctx)
	if c == nil {
		return nil, account.NotPermitted("", "logins come over the management socket")
	}
	if len(r.GetClient()) > maxClient {
		return nil, account.Invalid("client", "a client's name may have at most %d bytes", maxClient)
	}
	origin := c.origin()
	origin.Client = account.Printable(r.GetClient())
	// What cannot be a name or a password must not be kept while it waits.
	username, password := r.GetUsername(), account.Secret(r.GetPassword())
	if len(username) > account.MaxUsername {
		username = ""
	}
	if len(password) > account.MaxPassword {
		password = nil
	}
	end, err := c.beginLogin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	login, err := s.gate.Login(ctx, origin, username, password)
	if err != nil {
		return nil, err
	}
	if !c.hold(login.Token, func() { s.gate.Close(login) }) {
		s.gate.Close(login)
		return nil, account.SessionEnded()
	}
	return &managementv1.LoginResponse{Token: login.Token[:], SessionId: login.ID(), Username: login.Caller().Username}, nil
}

// admit returns the caller behind a call: an enabled ADMIN with a live token
// that was given out over this connection.
func (s *service) admit(ctx context.Context) (gate.Caller, error) {
	c := connectionOf(ctx)
	token, ok := tokenOf(ctx)
	if c == nil || !ok || !c.holds(token) {
		return gate.Caller{}, account.SessionEnded()
	}
	method, _ := grpc.Method(ctx)
	return s.gate.Admit(ctx, token, c.origin(), method[strings.LastIndexByte(method, '/')+1:])
}

func tokenOf(ctx context.Context) (t session.Token, ok bool) {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(values) != 1 {
		return t, false
	}
	text, ok := strings.CutPrefix(values[0], "Bearer ")
	if !ok {
		return t, false
	}
	t, err := session.ParseToken(text)
	return t, err == nil
}

func (s *service) Request(ctx context.Context, _ *managementv1.RequestRequest) (*managementv1.RequestResponse, error) {
	caller, err := s.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer caller.Done()
	return &managementv1.RequestResponse{RequestId: s.gate.NewRequestID().String()}, nil
}

// change admits the caller, reads the request id, and packs the outcome.
func (s *service) change(ctx context.Context, requestID string, carryOut func(gate.Caller, account.RequestID) (gate.Result, error)) (*managementv1.Change, error) {
	caller, err := s.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer caller.Done()
	var id account.RequestID
	if requestID != "" {
		if id, err = account.ParseRequestID(requestID); err != nil {
			return nil, err
		}
	}
	r, err := carryOut(caller, id)
	if err != nil {
		return nil, err
	}
	return &managementv1.Change{
		Changed: r.Changed, Account: listedToProto(r.Account, r.Sessions), Environment: r.Environment,
		Note: r.Note, RequestId: r.RequestID.String(), Gone: r.Gone,
	}, nil
}

func (s *service) Apply(ctx context.Context, r *managementv1.ApplyRequest) (*managementv1.Applied, error) {
	d, err := desiredFromProto(r)
	if err != nil {
		return nil, err
	}
	var applied gate.Applied
	change, err := s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		var err error
		applied, err = s.gate.Apply(ctx, c, id, d)
		return gate.Result{Change: applied.Change, Sessions: applied.Sessions, RequestID: applied.RequestID}, err
	})
	if err != nil {
		return nil, err
	}
	return appliedToProto(change, applied.Applied), nil
}

func (s *service) Plan(ctx context.Context, r *managementv1.ApplyRequest) (*managementv1.Applied, error) {
	caller, err := s.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer caller.Done()
	d, err := desiredFromProto(r)
	if err != nil {
		return nil, err
	}
	a, err := s.gate.Plan(ctx, caller, d)
	if err != nil {
		return nil, err
	}
	return appliedToProto(&managementv1.Change{
		Changed: a.Changed, Account: listedToProto(a.Account, s.gate.Table.Count(a.Account.Username)), Note: a.Note,
	}, a), nil
}

func desiredFromProto(r *managementv1.ApplyRequest) (account.Desired, error) {
	var grants *[]*accountv1.Grant
	if r.Grants != nil {
		grants = &r.Grants.Grants
	}
	return wire.DesiredFromProto(r, r.Enabled, grants, r.Password, r.PasswordHash)
}

func appliedToProto(change *managementv1.Change, a account.Applied) *managementv1.Applied {
	p := &managementv1.Applied{Change: change, PasswordSet: a.PasswordSet, Repeated: a.Repeated}
	if a.Before != nil {
		p.Before = wire.AccountToProto(*a.Before)
	}
	return p
}

func listedToProto(a account.Account, sessions int) *managementv1.ListedAccount {
	return &managementv1.ListedAccount{Account: wire.AccountToProto(a), Sessions: uint64(sessions)}
}

func (s *service) Create(ctx context.Context, r *managementv1.CreateRequest) (*managementv1.Change, error) {
	role, err := wire.RoleFromProto(r.GetRole())
	if err != nil {
		return nil, err
	}
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Create(ctx, c, id, account.Create{
			Username: r.GetUsername(), Password: r.GetPassword(), Role: role, IfNotExists: r.GetIfNotExists(),
		})
	})
}

func (s *service) Edit(ctx context.Context, r *managementv1.EditRequest) (*managementv1.Change, error) {
	role, err := wire.RoleFromProto(r.GetRole())
	if err != nil {
		return nil, err
	}
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Edit(ctx, c, id, account.Edit{
			Username: r.GetUsername(), Role: role, Password: wire.OptionalSecret(r.Password),
		})
	})
}

func (s *service) Password(ctx context.Context, r *managementv1.PasswordRequest) (*managementv1.Change, error) {
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Password(ctx, c, id, account.Password{Username: r.GetUsername(), Password: r.GetPassword()})
	})
}

func (s *service) Delete(ctx context.Context, r *managementv1.DeleteRequest) (*managementv1.Change, error) {
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Delete(ctx, c, id, account.Delete{Username: r.GetUsername(), IfExists: r.GetIfExists()})
	})
}

func (s *service) Grant(ctx context.Context, r *managementv1.GrantRequest) (*managementv1.Change, error) {
	permission, err := wire.PermissionFromProto(r.GetPermission())
	if err != nil {
		return nil, err
	}
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Grant(ctx, c, id, account.Grant{
			Username: r.GetUsername(), Permission: permission, Environment: r.GetEnvironment(),
		})
	})
}

func (s *service) Revoke(ctx context.Context, r *managementv1.RevokeRequest) (*managementv1.Change, error) {
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Revoke(ctx, c, id, account.Revoke{Username: r.GetUsername(), Environment: r.GetEnvironment()})
	})
}

func (s *service) Suspend(ctx context.Context, r *managementv1.SuspendRequest) (*managementv1.Change, error) {
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Suspend(ctx, c, id, r.GetUsername())
	})
}

func (s *service) Enable(ctx context.Context, r *managementv1.EnableRequest) (*managementv1.Change, error) {
	return s.change(ctx, r.GetRequestId(), func(c gate.Caller, id account.RequestID) (gate.Result, error) {
		return s.gate.Enable(ctx, c, id, r.GetUsername())
	})
}
