package management

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// ListedAccount is an account and the number of its live sessions on the host.
type ListedAccount struct {
	account.Account
	Sessions uint64
}

// Result is what a change came to.
type Result struct {
	ListedAccount // after the change; of a deleted account only the username

	Changed     bool
	Gone        bool   // no account has the name now
	Environment string // the environment that a grant or revoke resolved to
	Note        string // a remark, such as a role that outweighs a revoked grant
	RequestID   string
}

// Request returns a fresh request id.
func (c *Client) Request(ctx context.Context) (account.RequestID, error) {
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.management.Request(ctx, &managementv1.RequestRequest{})
	if err != nil {
		return account.RequestID{}, c.answer(ctx, err)
	}
	return account.ParseRequestID(p.GetRequestId())
}

// Every change takes the request id of an earlier attempt whose outcome is
// unknown, or the zero id: then the Client gets one first, so that it can name
// it if no answer comes. The refusals are those of account.Users.

// Create makes an account.
func (c *Client) Create(ctx context.Context, id account.RequestID, r account.Create) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Create(ctx, &managementv1.CreateRequest{
			RequestId: id, Username: r.Username, Password: r.Password,
			Role: wire.RoleToProto(r.Role), IfNotExists: r.IfNotExists,
		})
	})
}

// Edit changes role, password or both at once.
func (c *Client) Edit(ctx context.Context, id account.RequestID, r account.Edit) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Edit(ctx, &managementv1.EditRequest{
			RequestId: id, Username: r.Username, Role: wire.RoleToProto(r.Role), Password: r.Password,
		})
	})
}

// Password sets a password.
func (c *Client) Password(ctx context.Context, id account.RequestID, r account.Password) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Password(ctx, &managementv1.PasswordRequest{RequestId: id, Username: r.Username, Password: r.Password})
	})
}

// Delete removes an account for good.
func (c *Client) Delete(ctx context.Context, id account.RequestID, r account.Delete) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Delete(ctx, &managementv1.DeleteRequest{RequestId: id, Username: r.Username, IfExists: r.IfExists})
	})
}

// Grant adds a permission; an empty environment is the host's default one.
func (c *Client) Grant(ctx context.Context, id account.RequestID, r account.Grant) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Grant(ctx, &managementv1.GrantRequest{
			RequestId: id, Username: r.Username, Permission: wire.PermissionToProto(r.Permission), Environment: r.Environment,
		})
	})
}

// Revoke takes all permissions in one environment; an empty one is the host's
// default.
func (c *Client) Revoke(ctx context.Context, id account.RequestID, r account.Revoke) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Revoke(ctx, &managementv1.RevokeRequest{RequestId: id, Username: r.Username, Environment: r.Environment})
	})
}

// Suspend refuses logins and ends sessions.
func (c *Client) Suspend(ctx context.Context, id account.RequestID, username string) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Suspend(ctx, &managementv1.SuspendRequest{RequestId: id, Username: username})
	})
}

// Enable undoes Suspend.
func (c *Client) Enable(ctx context.Context, id account.RequestID, username string) (Result, error) {
	return c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		return c.management.Enable(ctx, &managementv1.EnableRequest{RequestId: id, Username: username})
	})
}

// Applied is what an Apply came to, or would come to.
type Applied struct {
	account.Applied
	Sessions  uint64 // the account's live sessions on the host
	RequestID string // of a plan: empty
}

// Apply makes an account what d says. What is larger than any account may be is
// refused with Invalid before it is sent.
func (c *Client) Apply(ctx context.Context, id account.RequestID, d account.Desired) (a Applied, err error) {
	r, err := desiredToProto(d)
	if err != nil {
		return Applied{}, err
	}
	_, err = c.change(ctx, id, func(ctx context.Context, id string) (*managementv1.Change, error) {
		r.RequestId = id
		p, err := c.management.Apply(ctx, r)
		if err != nil {
			return nil, err
		}
		a, err = appliedFromProto(p)
		return p.GetChange(), err
	})
	return a, err
}

// Plan says what Apply would come to, and changes nothing.
func (c *Client) Plan(ctx context.Context, d account.Desired) (Applied, error) {
	r, err := desiredToProto(d)
	if err != nil {
		return Applied{}, err
	}
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.management.Plan(ctx, r)
	if err != nil {
		return Applied{}, c.answer(ctx, err)
	}
	return appliedFromProto(p)
}

func desiredToProto(d account.Desired) (*managementv1.ApplyRequest, error) {
	p := &managementv1.ApplyRequest{
		Username: d.Username, Role: wire.RoleToProto(d.Role), Enabled: d.Enabled, OnlyNew: d.OnlyNew,
		Password: d.Password, PasswordHash: d.PasswordHash,
		CreatedAt: wire.TimeToProto(d.CreatedAt), PasswordChangedAt: wire.TimeToProto(d.PasswordChangedAt),
		LastLoginAt: wire.TimeToProto(d.LastLoginAt),
	}
	if d.Grants != nil {
		p.Grants = &managementv1.Grants{Grants: wire.GrantsToProto(d.Grants)}
	}
	if proto.Size(p) > maxRequest-1<<10 { // which leaves room for a request id
		return nil, account.Invalid("", "'%s' is too large; an account may hold grants in at most %d environments", account.Printable(d.Username), account.MaxEnvironments)
	}
	return p, nil
}

func appliedFromProto(p *managementv1.Applied) (Applied, error) {
	change := p.GetChange()
	listed, err := listedFromProto(change.GetAccount())
	if err != nil {
		return Applied{}, err
	}
	a := Applied{
		Applied: account.Applied{
			Change: account.Change{
				Changed: change.GetChanged(), Account: listed.Account, Gone: change.GetGone(),
				Repeated: p.GetRepeated(), Note: change.GetNote(),
			},
			PasswordSet: p.GetPasswordSet(),
		},
		Sessions: listed.Sessions, RequestID: change.GetRequestId(),
	}
	if p.GetBefore() != nil {
		before, err := wire.AccountFromProto(p.GetBefore())
		if err != nil {
			return Applied{}, badAnswer(err)
		}
		a.Before = &before
	}
	return a, nil
}

func (c *Client) change(ctx context.Context, id account.RequestID, ask func(context.Context, string) (*managementv1.Change, error)) (Result, error) {
	if id.IsZero() {
		var err error
		if id, err = c.Request(ctx); err != nil {
			return Result{}, err
		}
	}
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := ask(ctx, id.String())
	if err != nil {
		return Result{}, unknown(id, wire.FromStatus(err))
	}
	listed, err := listedFromProto(p.GetAccount())
	if err != nil {
		return Result{}, unknown(id, err)
	}
	return Result{
		ListedAccount: listed, Changed: p.GetChanged(), Gone: p.GetGone(),
		Environment: p.GetEnvironment(), Note: p.GetNote(), RequestID: p.GetRequestId(),
	}, nil
}

// unknown makes an unknown outcome of an error that does not say whether the
// change was carried out. Other errors stay what they are.
func unknown(id account.RequestID, err error) error {
	switch e := account.OutcomeUnknown(id); {
	case wire.Transport(err):
		return e
	case account.KindOf(err) == account.KindInternal:
		e.Message = err.Error() + "; " + e.Message
		return e
	}
	return err
}

func listedFromProto(p *managementv1.ListedAccount) (ListedAccount, error) {
	a, err := wire.AccountFromProto(p.GetAccount())
	if err != nil {
		return ListedAccount{}, badAnswer(err)
	}
	return ListedAccount{Account: a, Sessions: p.GetSessions()}, nil
}

// badAnswer hides the kind of its cause, which says that nothing was changed.
func badAnswer(err error) error { return fmt.Errorf("the host's answer is not acceptable: %v", err) }
