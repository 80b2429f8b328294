package management

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// SessionFilter lets through the sessions that match every field that is set.
type SessionFilter struct {
	Account     string // username
	Address     string // remote address, with or without its port
	Environment string
}

// Show returns one account. It refuses: Invalid, NotFound.
func (c *Client) Show(ctx context.Context, username string) (ListedAccount, error) {
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.management.Show(ctx, &managementv1.ShowRequest{Username: username})
	if err != nil {
		return ListedAccount{}, c.answer(ctx, err)
	}
	return listedFromProto(p.GetAccount())
}

// CheckPassword says whether the password is the account's. It refuses:
// Invalid, NotFound, Throttled.
func (c *Client) CheckPassword(ctx context.Context, r account.Password) (matches bool, err error) {
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.management.CheckPassword(ctx, &managementv1.CheckPasswordRequest{Username: r.Username, Password: r.Password})
	if err != nil {
		return false, c.answer(ctx, err)
	}
	return p.GetMatches(), nil
}

// DisconnectUser ends the sessions of one account and says how many. It
// refuses: Invalid, NotFound.
func (c *Client) DisconnectUser(ctx context.Context, username string) (ended uint64, err error) {
	return c.disconnect(ctx, &managementv1.DisconnectRequest{What: &managementv1.DisconnectRequest_Username{Username: username}})
}

// DisconnectSession ends one session. It refuses: NotFound.
func (c *Client) DisconnectSession(ctx context.Context, id string) (ended uint64, err error) {
	return c.disconnect(ctx, &managementv1.DisconnectRequest{What: &managementv1.DisconnectRequest_SessionId{SessionId: id}})
}

func (c *Client) disconnect(ctx context.Context, r *managementv1.DisconnectRequest) (uint64, error) {
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.management.Disconnect(ctx, r)
	if err != nil {
		return 0, c.answerTo(ctx, err, "sessions may have been ended; run the command again")
	}
	return p.GetEnded(), nil
}

// List yields the accounts in batches, by name. An error ends it.
func (c *Client) List(ctx context.Context) iter.Seq2[[]ListedAccount, error] {
	return batches(c.authorize(ctx), c.answer, func(ctx context.Context) (receiver[managementv1.ListResponse], error) {
		return c.management.List(ctx, &managementv1.ListRequest{})
	}, func(p *managementv1.ListResponse) ([]ListedAccount, error) {
		batch := make([]ListedAccount, len(p.GetAccounts()))
		for i, a := range p.GetAccounts() {
			var err error
			if batch[i], err = listedFromProto(a); err != nil {
				return nil, err
			}
		}
		return batch, nil
	})
}

// Sessions yields the live sessions in batches, oldest first, as the plugin
// shows them. An error ends it.
func (c *Client) Sessions(ctx context.Context, f SessionFilter) iter.Seq2[[]account.Session, error] {
	return batches(c.authorize(ctx), c.answer, func(ctx context.Context) (receiver[managementv1.SessionsResponse], error) {
		return c.management.Sessions(ctx, f.toProto())
	}, sessionsFromProto)
}

// OperatorSessions yields the live sessions straight from the host, without an
// account. It refuses with NotPermitted all but the owner of the home.
func (c *Client) OperatorSessions(ctx context.Context, f SessionFilter) iter.Seq2[[]account.Session, error] {
	return batches(ctx, c.answer, func(ctx context.Context) (receiver[managementv1.SessionsResponse], error) {
		return c.operator.Sessions(ctx, f.toProto())
	}, sessionsFromProto)
}

func (f SessionFilter) toProto() *managementv1.SessionsRequest {
	return &managementv1.SessionsRequest{Account: f.Account, Address: f.Address, Environment: f.Environment}
}

func sessionsFromProto(p *managementv1.SessionsResponse) ([]account.Session, error) {
	rows, err := wire.SessionsFromProto(p.GetSessions())
	if err != nil {
		return nil, badAnswer(err)
	}
	return rows, nil
}

type receiver[M any] interface{ Recv() (*M, error) }

// batches holds one message at a time, however long the listing.
func batches[M, R any](ctx context.Context, answer func(context.Context, error) error, open func(context.Context) (receiver[M], error), rows func(*M) ([]R, error)) iter.Seq2[[]R, error] {
	return func(yield func([]R, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := open(ctx)
		for err == nil {
			var p *M
			if p, err = stream.Recv(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				break
			}
			var batch []R
			if batch, err = rows(p); err != nil {
				yield(nil, err)
				return
			}
			if !yield(batch, nil) {
				return
			}
		}
		yield(nil, answer(ctx, err))
	}
}

// PluginStatus is for the owner of the home only. It refuses: NotPermitted.
func (c *Client) PluginStatus(ctx context.Context) (PluginStatus, error) {
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.operator.PluginStatus(ctx, &managementv1.PluginStatusRequest{})
	if err != nil {
		return PluginStatus{}, c.answer(ctx, err)
	}
	return pluginStatusFromProto(p), nil
}

// PluginReload starts the plugin's executable anew. It refuses: NotPermitted,
// Unavailable (the new one did not come up, and the old one serves on).
func (c *Client) PluginReload(ctx context.Context) (PluginStatus, error) {
	ctx, cancel := c.call(ctx)
	defer cancel()
	p, err := c.operator.PluginReload(ctx, &managementv1.PluginReloadRequest{})
	if err != nil {
		return PluginStatus{}, c.answerTo(ctx, err, "'concourse plugin status' says which plugin serves")
	}
	return pluginStatusFromProto(p), nil
}

func pluginStatusFromProto(p *managementv1.PluginStatusResponse) PluginStatus {
	s := PluginStatus{
		State: p.GetState(), Name: p.GetName(), Version: p.GetVersion(), Protocol: int(p.GetProtocol()), PID: int(p.GetPid()),
		Restarts: int(p.GetRestarts()), Capabilities: p.GetCapabilities(), SHA256: p.GetSha256(), Path: p.GetPath(),
		Pinned: p.GetPinned(), LastError: p.GetLastError(),
	}
	if p.GetStartedAt() != nil {
		s.StartedAt = p.GetStartedAt().AsTime()
	}
	return s
}
