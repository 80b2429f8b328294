package wire_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// critic is a backend that believes what the wire promises it, and notes where
// the promise is broken.
type critic struct {
	mu       sync.Mutex // guards the rest
	problems []string
}

func (c *critic) must(so bool, format string, args ...any) {
	if !so {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.problems = append(c.problems, fmt.Sprintf(format, args...))
	}
}

func (c *critic) role(r account.Role) {
	c.must(r == "" || r == account.Admin || r == account.User, "the role %q came through", r)
}

func (c *critic) change(in account.Invocation) (account.Change, error) {
	_, err := account.ParseRequestID(in.RequestID.String())
	c.must(err == nil && len(in.Host) <= 64, "the invocation %+v came through", in)
	return account.Change{Account: someone}, nil
}

func (c *critic) desired(d account.Desired) {
	c.role(d.Role)
	c.must(len(d.Grants) <= account.MaxEnvironments, "%d grants came through", len(d.Grants))
	for environment, ps := range d.Grants {
		c.must(account.CheckEnvironment(environment) == nil, "a grant in %q came through", environment)
		c.must(len(ps) > 0 && !slices.ContainsFunc(ps, func(p account.Permission) bool { return p != account.Read && p != account.Write }), "the grant %q came through", ps)
	}
}

func (*critic) Configure(context.Context, account.Configuration) (account.Description, error) {
	return account.Description{Name: "critic"}, nil
}

func (c *critic) Initialize(_ context.Context, first account.FirstAdministrator) (account.Initialized, error) {
	_, err := c.change(account.Invocation{RequestID: first.RequestID})
	return account.Initialized{}, err
}

func (c *critic) Authenticate(_ context.Context, r account.Credentials) (account.Login, error) {
	c.must(r.Listener == account.ManagementListener || r.Listener == account.ClientListener, "the listener %q came through", r.Listener)
	return account.Login{Account: someone}, nil
}

func (*critic) Exists(context.Context, string) (bool, error) { return true, nil }

func (c *critic) Create(_ context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	c.role(r.Role)
	return c.change(in)
}

func (c *critic) Edit(_ context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	c.role(r.Role)
	return c.change(in)
}

func (c *critic) Password(_ context.Context, in account.Invocation, _ account.Password) (account.Change, error) {
	return c.change(in)
}

func (c *critic) Delete(_ context.Context, in account.Invocation, _ account.Delete) (account.Change, error) {
	return c.change(in)
}

func (c *critic) Grant(_ context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	c.must(r.Permission == account.Read || r.Permission == account.Write, "the permission %q came through", r.Permission)
	return c.change(in)
}

func (c *critic) Revoke(_ context.Context, in account.Invocation, _ account.Revoke) (account.Change, error) {
	return c.change(in)
}

func (c *critic) Suspend(_ context.Context, in account.Invocation, _ string) (account.Change, error) {
	return c.change(in)
}

func (c *critic) Enable(_ context.Context, in account.Invocation, _ string) (account.Change, error) {
	return c.change(in)
}

func (c *critic) Apply(_ context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	c.desired(d)
	change, err := c.change(in)
	return account.Applied{Change: change, Before: &someone}, err
}

func (c *critic) Plan(_ context.Context, _ account.Caller, d account.Desired) (account.Applied, error) {
	c.desired(d)
	return account.Applied{Change: account.Change{Account: someone}}, nil
}

func (*critic) Show(context.Context, account.Caller, string) (account.Account, error) {
	return someone, nil
}

func (*critic) List(context.Context, account.Caller, string) ([]account.Account, string, error) {
	return []account.Account{someone}, someone.Username, nil
}

func (*critic) Export(context.Context, account.Caller, string) ([]account.Exported, string, error) {
	return []account.Exported{{Account: someone}}, "", nil
}

func (*critic) CheckPassword(context.Context, account.Caller, account.Password) (bool, error) {
	return true, nil
}

func (c *critic) Sessions(_ context.Context, _ account.Caller, rows []account.Session) ([]account.Session, error) {
	c.must(len(rows) <= account.MaxBatch, "%d rows came through", len(rows))
	for _, r := range rows {
		c.role(r.Role)
		c.must(r.Listener != "", "a row without a listener came through")
	}
	return rows, nil
}

func (*critic) Records(_ context.Context, after account.RequestID) ([]account.Record, account.RequestID, error) {
	return []account.Record{{RequestID: after}}, after, nil
}

func (*critic) Backup(_ context.Context, w io.Writer) error {
	_, err := w.Write([]byte("backup"))
	return err
}

func (c *critic) Recover(_ context.Context, r account.Recovery) (account.Change, error) {
	return c.change(account.Invocation{RequestID: r.RequestID})
}

func (*critic) Restore(_ context.Context, r io.Reader) (account.Restored, error) {
	_, err := io.Copy(io.Discard, r)
	return account.Restored{}, err
}

func (*critic) Watch(_ context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	for r := range requests {
		for _, name := range r.Read {
			if err := deliver(account.WatchEvent{Snapshot: &account.Snapshot{Username: name}}); err != nil {
				return err
			}
		}
		if err := deliver(account.WatchEvent{Heartbeat: &account.Heartbeat{Number: r.Heartbeat}}); err != nil {
			return err
		}
	}
	return nil
}

// asIs sends and receives bytes that are no message of ours.
type asIs struct{}

func (asIs) Name() string                       { return "proto" }
func (asIs) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (asIs) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }

// closedList are the codes that a server of ours may answer with; Internal is
// also what gRPC says of bytes that are no message.
var closedList = []codes.Code{
	codes.OK, codes.Internal, codes.InvalidArgument, codes.Unauthenticated, codes.PermissionDenied, codes.NotFound, codes.AlreadyExists,
	codes.Unavailable, codes.FailedPrecondition, codes.Aborted, codes.Unimplemented, codes.ResourceExhausted, codes.Canceled,
}

// FuzzRequest has a host ask a backend, through what a Go author serves it with,
// for whatever there is: the backend gets values within their bounds, the host an
// error of the closed list, and nobody a panic.
func FuzzRequest(f *testing.F) {
	var methods []string
	for _, m := range usersv1.Users_ServiceDesc.Methods {
		methods = append(methods, m.MethodName)
	}
	for _, s := range usersv1.Users_ServiceDesc.Streams {
		methods = append(methods, s.StreamName)
	}
	in := &usersv1.Invocation{
		RequestId: account.NewRequestID(then).String(), Host: "h", Caller: &usersv1.Caller{Username: "root", AccountId: "1", Generation: 1},
	}
	grants := &usersv1.Grants{Grants: []*accountv1.Grant{{Environment: "prod", Permissions: []accountv1.Permission{1, 2}}, {Environment: "none"}}}
	for method, m := range map[string]proto.Message{
		"Configure":    &usersv1.ConfigureRequest{Home: "/h", Settings: map[string]string{"path": "x"}},
		"Initialize":   &usersv1.InitializeRequest{Username: "root", Password: []byte("p"), RequestId: in.RequestId},
		"Authenticate": &usersv1.AuthenticateRequest{Username: "root", Password: []byte("p"), Listener: 1},
		"Create":       &usersv1.CreateRequest{Invocation: in, Username: "jeff", Password: []byte("p"), Role: 1},
		"Edit":         &usersv1.EditRequest{Invocation: in, Username: "jeff", Role: 9},
		"Grant":        &usersv1.GrantRequest{Invocation: in, Username: "jeff", Permission: 2, Environment: "prod"},
		"Revoke":       &usersv1.RevokeRequest{Invocation: in, Username: "jeff", Environment: "prod"},
		"Suspend":      &usersv1.SuspendRequest{Username: "jeff"},
		"Apply":        &usersv1.ApplyRequest{Invocation: in, Desired: &usersv1.Desired{Username: "jeff", Grants: grants, Enabled: new(true), CreatedAt: timestamppb.New(then)}},
		"Plan":         &usersv1.PlanRequest{Caller: in.Caller},
		"Sessions":     &usersv1.SessionsRequest{Sessions: []*accountv1.Session{{Id: "2", Listener: 2}}},
		"Records":      &usersv1.RecordsRequest{After: in.RequestId},
		"Recover":      &usersv1.RecoverRequest{Username: "root", RequestId: "no"},
		"Restore":      &usersv1.RestoreRequest{Data: []byte("backup")},
		"Watch":        &usersv1.WatchRequest{Read: []string{"jeff", ""}, Heartbeat: 1},
	} {
		f.Add(byte(slices.Index(methods, method)), encoded(f, m), []byte{})
	}
	f.Add(byte(slices.Index(methods, "Watch")), []byte{}, []byte("\xff\xff"))
	c, log := &critic{}, &bytes.Buffer{}
	_, conn := connect(f, c, hclog.New(&hclog.LoggerOptions{Output: log, Mutex: &c.mu}))
	f.Fuzz(func(t *testing.T, method byte, first, second []byte) {
		name := methods[int(method)%len(methods)]
		err := ask(t.Context(), conn, "/"+usersv1.Users_ServiceDesc.ServiceName+"/"+name, first, second)
		if !slices.Contains(closedList, status.Code(err)) {
			t.Errorf("%s is answered with %v", name, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.problems) > 0 || strings.Contains(log.String(), "panic") {
			t.Errorf("%s: %q\n%s", name, c.problems, log)
		}
		c.problems = nil
		log.Reset()
	})
}

// ask sends the messages, which is one to a method that takes no stream, and
// reads to the end of the answer.
func ask(ctx context.Context, conn *grpc.ClientConn, method string, messages ...[]byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	takesMany := strings.HasSuffix(method, "/Watch") || strings.HasSuffix(method, "/Restore")
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: takesMany, ServerStreams: true}, method, grpc.ForceCodec(asIs{}))
	if err != nil {
		return err
	}
	if !takesMany {
		messages = messages[:1]
	}
	for _, m := range messages {
		if stream.SendMsg(m) != nil {
			break // RecvMsg says why
		}
	}
	stream.CloseSend()
	for {
		var answer []byte
		if err := stream.RecvMsg(&answer); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

var _ account.Users = (*critic)(nil)
