package wire

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// Client is account.Users over a connection to a plugin.
type Client struct {
	conn  grpc.ClientConnInterface
	users usersv1.UsersClient
}

var _ account.Users = (*Client)(nil)

// NewClient returns a client over conn, which stays the caller's to close.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{conn: conn, users: usersv1.NewUsersClient(conn)}
}

// Conn returns the connection, for health checks.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// badReply says that the plugin answered with something that it must not. It
// hides the kind of the cause: the caller's request was not at fault.
func badReply(err error) error { return fmt.Errorf("the plugin's answer is not acceptable: %v", err) }

// Configure calls the plugin.
func (c *Client) Configure(ctx context.Context, r account.Configuration) (account.Description, error) {
	p, err := c.users.Configure(ctx, &usersv1.ConfigureRequest{Home: r.Home, Settings: r.Settings})
	if err != nil {
		return account.Description{}, FromStatus(err)
	}
	d := account.Description{
		Name: clean(p.GetName()), Version: clean(p.GetVersion()), StoreID: p.GetStoreId(), Initialized: p.GetInitialized(),
	}
	if len(p.GetCapabilities()) > 64 || len(d.StoreID) > maxID {
		return account.Description{}, badReply(fmt.Errorf("too many capabilities or too long a store id"))
	}
	for _, capability := range p.GetCapabilities() {
		d.Capabilities = append(d.Capabilities, clean(capability))
	}
	return d, nil
}

// Initialize calls the plugin.
func (c *Client) Initialize(ctx context.Context, r account.FirstAdministrator) (account.Initialized, error) {
	p, err := c.users.Initialize(ctx, &usersv1.InitializeRequest{
		Username: r.Username, Password: r.Password, RequestId: r.RequestID.String(), Host: r.Host,
	})
	if err != nil {
		return account.Initialized{}, FromStatus(err)
	}
	return account.Initialized{Changed: p.GetChanged(), Warning: clean(p.GetWarning())}, nil
}

// Authenticate calls the plugin.
func (c *Client) Authenticate(ctx context.Context, r account.Credentials) (account.Login, error) {
	p, err := c.users.Authenticate(ctx, &usersv1.AuthenticateRequest{
		Username: r.Username, Password: r.Password, Listener: ListenerToProto(r.Listener), Probe: r.Probe,
	})
	if err != nil {
		return account.Login{}, FromStatus(err)
	}
	a, err := AccountFromProto(p.GetAccount())
	if err != nil {
		return account.Login{}, badReply(err)
	}
	return account.Login{Account: a, Revision: account.Revision(p.GetRevision())}, nil
}

// Exists calls the plugin.
func (c *Client) Exists(ctx context.Context, username string) (bool, error) {
	p, err := c.users.Exists(ctx, &usersv1.ExistsRequest{Username: username})
	return p.GetExists(), FromStatus(err)
}

func changed(p *usersv1.Change, err error) (account.Change, error) {
	if err != nil {
		return account.Change{}, FromStatus(err)
	}
	c, err := changeFromProto(p)
	if err != nil {
		return account.Change{}, badReply(err)
	}
	return c, nil
}

// Create calls the plugin.
func (c *Client) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return changed(c.users.Create(ctx, &usersv1.CreateRequest{
		Invocation: invocationToProto(in), Username: r.Username, Password: r.Password,
		Role: RoleToProto(r.Role), IfNotExists: r.IfNotExists,
	}))
}

// Edit calls the plugin.
func (c *Client) Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return changed(c.users.Edit(ctx, &usersv1.EditRequest{
		Invocation: invocationToProto(in), Username: r.Username, Role: RoleToProto(r.Role), Password: r.Password,
	}))
}

// Password calls the plugin.
func (c *Client) Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return changed(c.users.Password(ctx, &usersv1.PasswordRequest{
		Invocation: invocationToProto(in), Username: r.Username, Password: r.Password,
	}))
}

// Delete calls the plugin.
func (c *Client) Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return changed(c.users.Delete(ctx, &usersv1.DeleteRequest{
		Invocation: invocationToProto(in), Username: r.Username, IfExists: r.IfExists,
	}))
}

// Grant calls the plugin.
func (c *Client) Grant(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	return changed(c.users.Grant(ctx, &usersv1.GrantRequest{
		Invocation: invocationToProto(in), Username: r.Username,
		Permission: PermissionToProto(r.Permission), Environment: r.Environment,
	}))
}

// Revoke calls the plugin.
func (c *Client) Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return changed(c.users.Revoke(ctx, &usersv1.RevokeRequest{
		Invocation: invocationToProto(in), Username: r.Username, Environment: r.Environment,
	}))
}

// Suspend calls the plugin.
func (c *Client) Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return changed(c.users.Suspend(ctx, &usersv1.SuspendRequest{Invocation: invocationToProto(in), Username: username}))
}

// Enable calls the plugin.
func (c *Client) Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return changed(c.users.Enable(ctx, &usersv1.EnableRequest{Invocation: invocationToProto(in), Username: username}))
}

// Apply calls the plugin.
func (c *Client) Apply(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	return appliedOf(c.users.Apply(ctx, &usersv1.ApplyRequest{Invocation: invocationToProto(in), Desired: desiredToProto(d)}))
}

// Plan calls the plugin.
func (c *Client) Plan(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
	return appliedOf(c.users.Plan(ctx, &usersv1.PlanRequest{Caller: callerToProto(who), Desired: desiredToProto(d)}))
}

func appliedOf(p *usersv1.Applied, err error) (account.Applied, error) {
	if err != nil {
		return account.Applied{}, FromStatus(err)
	}
	a, err := appliedFromProto(p)
	if err != nil {
		return account.Applied{}, badReply(err)
	}
	return a, nil
}

// Export calls the plugin.
func (c *Client) Export(ctx context.Context, who account.Caller, after string) ([]account.Exported, string, error) {
	p, err := c.users.Export(ctx, &usersv1.ExportRequest{Caller: callerToProto(who), After: after})
	if err != nil {
		return nil, "", FromStatus(err)
	}
	page, err := convertAll(p.GetAccounts(), exportedFromProto)
	return page, p.GetNext(), err
}

// Backup calls the plugin.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.users.Backup(ctx, &usersv1.BackupRequest{})
	for err == nil {
		var p *usersv1.BackupResponse
		if p, err = stream.Recv(); err == nil {
			if _, err := w.Write(p.GetData()); err != nil {
				return err
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return FromStatus(err)
}

// Recover calls the plugin.
func (c *Client) Recover(ctx context.Context, r account.Recovery) (account.Change, error) {
	return changed(c.users.Recover(ctx, &usersv1.RecoverRequest{
		Username: r.Username, Password: r.Password, RequestId: r.RequestID.String(), Host: r.Host,
	}))
}

// Restore calls the plugin.
func (c *Client) Restore(ctx context.Context, r io.Reader) (account.Restored, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.users.Restore(ctx)
	if err != nil {
		return account.Restored{}, FromStatus(err)
	}
	w := NewChunkWriter(func(data []byte) error { return stream.Send(&usersv1.RestoreRequest{Data: data}) })
	_, err = io.Copy(w, r)
	if err == nil {
		err = w.Flush()
	}
	if err != nil && !errors.Is(err, io.EOF) { // io.EOF: the plugin has answered, and the answer says why
		return account.Restored{}, FromStatus(err)
	}
	p, err := stream.CloseAndRecv()
	if err != nil {
		return account.Restored{}, FromStatus(err)
	}
	at, err := TimeFromProto(p.GetTakenAt())
	if err != nil || len(p.GetStoreId()) > maxID {
		return account.Restored{}, badReply(errors.New("a time or a store id that cannot be"))
	}
	return account.Restored{Accounts: p.GetAccounts(), TakenAt: at, StoreID: p.GetStoreId()}, nil
}

// Show calls the plugin.
func (c *Client) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	p, err := c.users.Show(ctx, &usersv1.ShowRequest{Caller: callerToProto(who), Username: username})
	if err != nil {
		return account.Account{}, FromStatus(err)
	}
	a, err := AccountFromProto(p.GetAccount())
	if err != nil {
		return account.Account{}, badReply(err)
	}
	return a, nil
}

// List calls the plugin.
func (c *Client) List(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
	p, err := c.users.List(ctx, &usersv1.ListRequest{Caller: callerToProto(who), After: after})
	if err != nil {
		return nil, "", FromStatus(err)
	}
	page, err := convertAll(p.GetAccounts(), AccountFromProto)
	return page, p.GetNext(), err
}

// CheckPassword calls the plugin.
func (c *Client) CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
	p, err := c.users.CheckPassword(ctx, &usersv1.CheckPasswordRequest{
		Caller: callerToProto(who), Username: r.Username, Password: r.Password,
	})
	return p.GetMatches(), FromStatus(err)
}

// Sessions calls the plugin, more than once where the rows don't fit in a message.
func (c *Client) Sessions(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
	encoded, n := appendFitting(nil, requestSessionsField, rows)
	shown, err := c.sessions(ctx, who, encoded)
	for err == nil && n < len(rows) {
		var more []account.Session
		rows = rows[n:]
		encoded, n = appendFitting(encoded[:0], requestSessionsField, rows)
		more, err = c.sessions(ctx, who, encoded)
		shown = append(shown, more...)
	}
	if err != nil {
		return nil, err
	}
	return shown, nil
}

func (c *Client) sessions(ctx context.Context, who account.Caller, encoded []byte) ([]account.Session, error) {
	request := WithRows(&usersv1.SessionsRequest{Caller: callerToProto(who)}, encoded)
	var answer Unread
	if err := c.conn.Invoke(ctx, usersv1.Users_Sessions_FullMethodName, request, &answer, LeaveUnread()); err != nil {
		return nil, FromStatus(err)
	}
	shown, err := ReadSessions(&answer)
	if err != nil {
		return nil, badReply(err)
	}
	return shown, nil
}

// Records calls the plugin.
func (c *Client) Records(ctx context.Context, after account.RequestID) (page []account.Record, next account.RequestID, err error) {
	r := &usersv1.RecordsRequest{}
	if !after.IsZero() {
		r.After = after.String()
	}
	p, err := c.users.Records(ctx, r)
	if err != nil {
		return nil, next, FromStatus(err)
	}
	if p.GetNext() != "" {
		if next, err = account.ParseRequestID(p.GetNext()); err != nil {
			return nil, next, badReply(err)
		}
	}
	page, err = convertAll(p.GetRecords(), recordFromProto)
	return page, next, err
}

func convertAll[P *accountv1.Account | *usersv1.ExportedAccount | *usersv1.Record, D any](in []P, convert func(P) (D, error)) ([]D, error) {
	if len(in) > account.MaxBatch {
		return nil, badReply(fmt.Errorf("%d items in one message, more than %d", len(in), account.MaxBatch))
	}
	out := make([]D, 0, len(in))
	for _, p := range in {
		d, err := convert(p)
		if err != nil {
			return nil, badReply(err)
		}
		out = append(out, d)
	}
	return out, nil
}
