package management

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// AccountFilter lets through the accounts that match every field that is set.
type AccountFilter struct {
	Role            account.Role
	Enabled         *bool
	Environment     string    // holds a grant in it
	LastLoginBefore time.Time // never is before every time
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

// List yields the accounts that pass the filter in batches, by name. An error
// ends it.
func (c *Client) List(ctx context.Context, f AccountFilter) iter.Seq2[[]ListedAccount, error] {
	return batches(c.authorize(ctx), c.answer, func(ctx context.Context) (receiver[managementv1.ListResponse], error) {
		return c.management.List(ctx, &managementv1.ListRequest{
			Role: wire.RoleToProto(f.Role), Enabled: f.Enabled, Environment: f.Environment,
			LastLoginBefore: wire.TimeToProto(f.LastLoginBefore),
		})
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

// Export yields the accounts with their password hashes in batches, by name. An
// error ends it.
func (c *Client) Export(ctx context.Context) iter.Seq2[[]account.Exported, error] {
	return batches(c.authorize(ctx), c.answer, func(ctx context.Context) (receiver[managementv1.ExportResponse], error) {
		return c.management.Export(ctx, &managementv1.ExportRequest{})
	}, func(p *managementv1.ExportResponse) ([]account.Exported, error) {
		batch := make([]account.Exported, len(p.GetAccounts()))
		for i, e := range p.GetAccounts() {
			a, err := wire.AccountFromProto(e.GetAccount())
			if err != nil {
				return nil, badAnswer(err)
			}
			batch[i] = account.Exported{Account: a, PasswordHash: e.GetPasswordHash()}
		}
		return batch, nil
	})
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
