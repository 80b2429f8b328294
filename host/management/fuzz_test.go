package management_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// agreeable is a double of the plugin that does what it is asked to, and counts
// the questions that nobody may ask without a session.
type agreeable struct {
	page
	mu    sync.Mutex // guards asked
	asked int
}

func (a *agreeable) change(in account.Invocation, username string, gone bool) (account.Change, error) {
	a.mu.Lock()
	a.asked++
	a.mu.Unlock()
	if _, err := account.ParseRequestID(in.RequestID.String()); err != nil {
		return account.Change{}, err
	}
	name, err := account.NormalizeUsername(username)
	return account.Change{
		Changed: true, Gone: gone, Revision: 2, Account: account.Account{ID: "1", Generation: 2, Username: name, Role: account.Admin, Enabled: true},
	}, err
}

func (*agreeable) Exists(context.Context, string) (bool, error) { return true, nil }

func (a *agreeable) Create(_ context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return a.change(in, r.Username, false)
}

func (a *agreeable) Edit(_ context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return a.change(in, r.Username, false)
}

func (a *agreeable) Password(_ context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return a.change(in, r.Username, false)
}

func (a *agreeable) Delete(_ context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return a.change(in, r.Username, true)
}

func (a *agreeable) Grant(_ context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	if err := account.CheckEnvironment(r.Environment); err != nil {
		return account.Change{}, err
	}
	return a.change(in, r.Username, false)
}

func (a *agreeable) Revoke(_ context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return a.change(in, r.Username, false)
}

func (a *agreeable) Suspend(_ context.Context, in account.Invocation, username string) (account.Change, error) {
	return a.change(in, username, false)
}

func (a *agreeable) Enable(_ context.Context, in account.Invocation, username string) (account.Change, error) {
	return a.change(in, username, false)
}

func (a *agreeable) Apply(_ context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	c, err := a.change(in, d.Username, false)
	return account.Applied{Change: c}, err
}

func (a *agreeable) Plan(_ context.Context, _ account.Caller, d account.Desired) (account.Applied, error) {
	return a.Apply(context.Background(), account.Invocation{RequestID: account.NewRequestID(time.Now())}, d)
}

func (a *agreeable) Show(_ context.Context, _ account.Caller, username string) (account.Account, error) {
	c, err := a.change(account.Invocation{RequestID: account.NewRequestID(time.Now())}, username, false)
	return c.Account, err
}

func (a *agreeable) List(ctx context.Context, who account.Caller, _ string) ([]account.Account, string, error) {
	one, err := a.Show(ctx, who, "root")
	return []account.Account{one}, "", err
}

func (a *agreeable) Export(ctx context.Context, who account.Caller, _ string) ([]account.Exported, string, error) {
	one, err := a.Show(ctx, who, "root")
	return []account.Exported{{Account: one, PasswordHash: account.Secret("$argon2id$")}}, "", err
}

func (a *agreeable) CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
	_, err := a.Show(ctx, who, r.Username)
	return true, err
}

func (*agreeable) Backup(_ context.Context, w io.Writer) error {
	_, err := w.Write([]byte("backup"))
	return err
}

// lockedBuffer keeps what is logged.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// take returns what was logged since the last time.
func (l *lockedBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

// serve runs the real server, over the double, on a real socket.
func serve(f *testing.F, plugin gate.Users) (path string, table *session.Table, logged *lockedBuffer) {
	f.Helper()
	dir, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	log, err := audit.Open(filepath.Join(dir, "audit"), audit.Options{MaxSize: 1 << 20, Keep: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { log.Close() })
	logged = &lockedBuffer{}
	logger := hclog.New(&hclog.LoggerOptions{Output: logged})
	table = session.New(session.Options{Host: "h", Lease: 24 * time.Hour})
	table.Heartbeat("store", 0, time.Now())
	s := management.NewServer(management.Options{
		Gate: &gate.Gate{
			Users: plugin, Table: table, Throttle: throttle.New(throttle.Options{}), Audit: log,
			Logger: logger, DefaultEnvironment: "default", LeaseWait: time.Second, CallTimeout: time.Minute, Stopping: context.Background(),
		},
		Table: table, Owner: os.Geteuid(), Plugin: control{reload: func(context.Context) error { return nil }}, Logger: logger,
	})
	path = filepath.Join(dir, "s")
	l, err := management.Listen(path, -1)
	if err != nil {
		f.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	f.Cleanup(func() { s.Stop(0); <-done })
	return path, table, logged
}

// asIs sends and receives bytes that are no message of ours.
type asIs struct{}

func (asIs) Name() string                       { return "proto" }
func (asIs) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (asIs) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }

// send makes a call with one message, and reads to the end of the answer.
func send(ctx context.Context, conn *grpc.ClientConn, method string, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method, grpc.ForceCodec(asIs{}))
	if err != nil {
		return err
	}
	if err := stream.SendMsg(message); err == nil {
		stream.CloseSend()
	}
	for {
		var answer []byte
		if err := stream.RecvMsg(&answer); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// methods are those of both services, in the order of their names.
func methods() (all []string) {
	for name := range management.Commands {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// closedList are the codes that the host may answer with; Internal is also what
// gRPC says of bytes that are no message.
var closedList = []codes.Code{
	codes.OK, codes.Internal, codes.InvalidArgument, codes.Unauthenticated, codes.PermissionDenied, codes.NotFound, codes.AlreadyExists,
	codes.Unavailable, codes.FailedPrecondition, codes.Aborted, codes.Unimplemented, codes.ResourceExhausted,
}

// FuzzServer has a client send every method whatever there is, with whatever
// authorization: the answer is of the closed list, short and printable; nothing
// panics; and nothing reaches the plugin without the token of this connection.
func FuzzServer(f *testing.F) {
	all := methods()
	at := func(name string) byte {
		i := slices.Index(all, name)
		if i < 0 {
			f.Fatalf("there is no method %s", name)
		}
		return byte(i)
	}
	id := account.NewRequestID(time.UnixMilli(1_800_000_000_000)).String()
	long := strings.Repeat("x", 300)
	grants := &managementv1.Grants{Grants: []*accountv1.Grant{{Environment: "prod", Permissions: []accountv1.Permission{1, 2}}}}
	for method, m := range map[string]proto.Message{
		managementv1.Management_Login_FullMethodName:         &managementv1.LoginRequest{Username: "root", Password: []byte("p"), Client: "\x1b[31m\u202e"},
		managementv1.Management_Request_FullMethodName:       &managementv1.RequestRequest{},
		managementv1.Management_Create_FullMethodName:        &managementv1.CreateRequest{RequestId: id, Username: "jeff", Password: []byte("p"), Role: 1},
		managementv1.Management_Edit_FullMethodName:          &managementv1.EditRequest{RequestId: "no", Username: "jeff", Role: 9, Password: []byte{}},
		managementv1.Management_Password_FullMethodName:      &managementv1.PasswordRequest{Username: "root", Password: []byte(long)},
		managementv1.Management_Delete_FullMethodName:        &managementv1.DeleteRequest{Username: "root"},
		managementv1.Management_Grant_FullMethodName:         &managementv1.GrantRequest{Username: "jeff", Permission: 2, Environment: "pr\u009bd"},
		managementv1.Management_Revoke_FullMethodName:        &managementv1.RevokeRequest{Username: "jeff"},
		managementv1.Management_Suspend_FullMethodName:       &managementv1.SuspendRequest{Username: "\u202enimda"},
		managementv1.Management_Enable_FullMethodName:        &managementv1.EnableRequest{Username: long},
		managementv1.Management_Apply_FullMethodName:         &managementv1.ApplyRequest{Username: "jeff", Enabled: new(false), Grants: grants, PasswordHash: []byte("$argon2id$")},
		managementv1.Management_Plan_FullMethodName:          &managementv1.ApplyRequest{Username: "jeff", CreatedAt: &timestamppb.Timestamp{Nanos: -1}},
		managementv1.Management_Show_FullMethodName:          &managementv1.ShowRequest{Username: "jeff"},
		managementv1.Management_List_FullMethodName:          &managementv1.ListRequest{Environment: "prod", Enabled: new(true), LastLoginBefore: timestamppb.Now()},
		managementv1.Management_CheckPassword_FullMethodName: &managementv1.CheckPasswordRequest{Username: "jeff", Password: []byte("p")},
		managementv1.Management_Export_FullMethodName:        &managementv1.ExportRequest{},
		managementv1.Management_Sessions_FullMethodName:      &managementv1.SessionsRequest{Account: "root", Order: 3, Limit: 1 << 31, Reverse: true},
		managementv1.Management_CountSessions_FullMethodName: &managementv1.CountSessionsRequest{By: 2, Address: selfAddress},
		managementv1.Management_Disconnect_FullMethodName:    &managementv1.DisconnectRequest{What: &managementv1.DisconnectRequest_SessionId{SessionId: "2222222222"}},
		managementv1.Operator_Sessions_FullMethodName:        &managementv1.SessionsRequest{Order: 99},
		managementv1.Operator_CountSessions_FullMethodName:   &managementv1.CountSessionsRequest{By: 1},
		managementv1.Operator_Backup_FullMethodName:          &managementv1.BackupRequest{},
		managementv1.Operator_PluginStatus_FullMethodName:    &managementv1.PluginStatusRequest{},
		managementv1.Operator_PluginReload_FullMethodName:    &managementv1.PluginReloadRequest{},
	} {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(at(method), "Bearer TOKEN", data)
	}
	for i, authorization := range []string{"", "Bearer ", "bearer TOKEN", "Bearer TOKENA", "Bearer  TOKEN", "TOKEN", "Bearer " + strings.Repeat("A", 43), "Bearer \x00", long} {
		f.Add(byte(i), authorization, []byte("\x0a\x04jeff"))
	}
	plugin := &agreeable{}
	path, table, logged := serve(f, plugin)
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	f.Fuzz(func(t *testing.T, method byte, authorization string, message []byte) {
		name := all[int(method)%len(all)]
		token := login(t, managementv1.NewManagementClient(conn))
		plugin.mu.Lock()
		plugin.asked = 0
		plugin.mu.Unlock()
		shown := strings.ReplaceAll(authorization, "TOKEN", token)
		err := send(metadata.AppendToOutgoingContext(t.Context(), "authorization", shown), conn, name, message)
		said := status.Convert(err)
		if !slices.Contains(closedList, said.Code()) {
			t.Errorf("%s is answered with %v", name, err)
		}
		odd := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u00a0' } // protobuf's own sentences have that one
		if m := said.Message(); len(m) > 1100 || !utf8.ValidString(m) || strings.ContainsFunc(m, odd) || strings.Contains(m, token) {
			t.Errorf("%s is refused with %.200q", name, m)
		}
		plugin.mu.Lock()
		asked := plugin.asked
		plugin.mu.Unlock()
		free := strings.HasPrefix(name, "/concourse.management.v1.Operator/") || name == managementv1.Management_Login_FullMethodName
		if shown != "Bearer "+token && !free && (asked > 0 || err == nil) {
			t.Errorf("%s was carried out (%d) without the token, and answered with %v", name, asked, err)
		}
		if n := table.Len(); n > 1 {
			t.Errorf("%d sessions on one connection", n)
		}
		if text := logged.take(); strings.Contains(text, "panic") {
			t.Errorf("%s: %s", name, text)
		}
	})
}

// FuzzConnection has somebody who may use the socket write whatever there is to
// it, instead of HTTP/2 or after its beginning: it costs that connection only.
func FuzzConnection(f *testing.F) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	for _, seed := range []string{
		"", "GET / HTTP/1.1\r\n\r\n", preface, preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00", preface + "\xff\xff\xff\x04\x00\x00\x00\x00\x00",
		preface + "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x7f\xff\xff\xff", preface + "\x00\x00\x05\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x00",
		preface + "\x00\x00\x08\x06\x00\x00\x00\x00\x00pingpong", preface + strings.Repeat("\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", 20),
	} {
		f.Add([]byte(seed))
	}
	path, table, logged := serve(f, &agreeable{})
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(time.Minute))
		c.Write(data) // the host may hang up in the middle
		c.(*net.UnixConn).CloseWrite()
		io.Copy(io.Discard, c)
		c.Close()
		login(t, managementv1.NewManagementClient(conn))
		if n := table.Len(); n != 1 {
			t.Errorf("%d sessions, of one who has logged in", n)
		}
		if text := logged.take(); strings.Contains(text, "panic") {
			t.Error(text)
		}
	})
}
