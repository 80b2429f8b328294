package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// plugin is a connection to one that answers every call with these bytes: a
// message each, or all of them on a stream.
type plugin [][]byte

func (p plugin) Invoke(_ context.Context, _ string, _, reply any, _ ...grpc.CallOption) error {
	return decoded(p[0], reply)
}

func (p plugin) NewStream(ctx context.Context, _ *grpc.StreamDesc, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &answers{ctx: ctx, left: p}, nil
}

type answers struct {
	grpc.ClientStream
	ctx  context.Context
	left [][]byte
}

func (a *answers) Context() context.Context { return a.ctx }
func (*answers) SendMsg(any) error          { return nil }
func (*answers) CloseSend() error           { return nil }

func (a *answers) RecvMsg(m any) error {
	if len(a.left) == 0 {
		return io.EOF
	}
	next := a.left[0]
	a.left = a.left[1:]
	return decoded(next, m)
}

// decoded refuses as gRPC does, with the codec that the client chooses.
func decoded(data []byte, m any) error {
	if unread, ok := m.(*wire.Unread); ok {
		unread.ProtoReflect().SetUnknown(data)
		return nil
	}
	if err := proto.Unmarshal(data, m.(proto.Message)); err != nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %v", err)
	}
	return nil
}

func encoded(f *testing.F, m proto.Message) []byte {
	f.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	return data
}

// calls are the client's methods, each with what its answer must be.
var calls = []func(t *testing.T, c *wire.Client) error{
	func(t *testing.T, c *wire.Client) error {
		d, err := c.Configure(t.Context(), account.Configuration{})
		wellTold(t, d.Name, d.Version)
		wellTold(t, d.Capabilities...)
		bounded(t, len(d.StoreID), 64)
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		i, err := c.Initialize(t.Context(), account.FirstAdministrator{})
		wellTold(t, i.Warning)
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		l, err := c.Authenticate(t.Context(), account.Credentials{})
		wellFormed(t, l.Account)
		return err
	},
	func(t *testing.T, c *wire.Client) error { _, err := c.Exists(t.Context(), "jeff"); return err },
	func(t *testing.T, c *wire.Client) error {
		return oneChange(t)(c.Create(t.Context(), account.Invocation{}, account.Create{}))
	},
	func(t *testing.T, c *wire.Client) error {
		return oneChange(t)(c.Recover(t.Context(), account.Recovery{}))
	},
	func(t *testing.T, c *wire.Client) error {
		a, err := c.Apply(t.Context(), account.Invocation{}, account.Desired{})
		if a.Before != nil {
			wellFormed(t, *a.Before)
		}
		return oneChange(t)(a.Change, err)
	},
	func(t *testing.T, c *wire.Client) error {
		page, _, err := c.Export(t.Context(), account.Caller{}, "")
		bounded(t, len(page), account.MaxBatch)
		for _, e := range page {
			wellFormed(t, e.Account)
			bounded(t, len(e.PasswordHash), 1024)
		}
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		a, err := c.Show(t.Context(), account.Caller{}, "jeff")
		wellFormed(t, a)
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		page, _, err := c.List(t.Context(), account.Caller{}, "")
		bounded(t, len(page), account.MaxBatch)
		for _, a := range page {
			wellFormed(t, a)
		}
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		_, err := c.CheckPassword(t.Context(), account.Caller{}, account.Password{})
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		rows, err := c.Sessions(t.Context(), account.Caller{}, nil)
		bounded(t, len(rows), account.MaxBatch)
		for _, s := range rows {
			if s.Listener != account.ManagementListener && s.Listener != account.ClientListener {
				t.Errorf("a session came through the listener %q", s.Listener)
			}
		}
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		page, _, err := c.Records(t.Context(), account.RequestID{})
		bounded(t, len(page), account.MaxBatch)
		for _, r := range page {
			if r.RequestID.IsZero() {
				t.Errorf("a record without an id: %+v", r)
			}
		}
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		var b bytes.Buffer
		return c.Backup(t.Context(), &b)
	},
	func(t *testing.T, c *wire.Client) error {
		r, err := c.Restore(t.Context(), strings.NewReader("backup"))
		bounded(t, len(r.StoreID), 64)
		return err
	},
	func(t *testing.T, c *wire.Client) error {
		return c.Watch(t.Context(), make(chan account.WatchRequest), func(e account.WatchEvent) error {
			if e.Snapshot != nil && e.Heartbeat != nil {
				t.Errorf("one event is two: %+v", e)
			}
			if s := e.Snapshot; s != nil {
				wellFormed(t, account.Account{ID: s.ID, Username: s.Username, Role: s.Role, Grants: s.Grants})
			}
			if h := e.Heartbeat; h != nil {
				bounded(t, len(h.StoreID), 64)
			}
			return nil
		})
	},
}

func oneChange(t *testing.T) func(account.Change, error) error {
	return func(c account.Change, err error) error {
		wellFormed(t, c.Account)
		wellTold(t, c.Note)
		return err
	}
}

// FuzzAnswer has a plugin answer every method with whatever there is: the host
// gets values within their bounds, or an error that does not blame its caller.
func FuzzAnswer(f *testing.F) {
	jeff := &accountv1.Account{
		Id: "1", Generation: 2, Username: "jeff", Role: accountv1.Role_ROLE_USER, Enabled: true, CreatedAt: timestamppb.New(then),
		Grants: []*accountv1.Grant{{Environment: "prod", Permissions: []accountv1.Permission{2, 1, 2}}, {Environment: "none"}},
	}
	change := &usersv1.Change{Changed: true, Account: jeff, Revision: 7, Note: "\u202eeton"}
	many := make([]*accountv1.Account, account.MaxBatch+1)
	wide := &accountv1.Account{Id: strings.Repeat("i", 65), Username: strings.Repeat("u", 256), Role: 3, LastLoginAt: &timestamppb.Timestamp{Nanos: -1}}
	for i, m := range []proto.Message{
		&usersv1.ConfigureResponse{Name: "b\x1bolt", Version: "1", Capabilities: []string{"change", "durable"}, StoreId: "s", Initialized: true},
		&usersv1.InitializeResponse{Changed: true, Warning: "short\n"},
		&usersv1.AuthenticateResponse{Account: jeff, Revision: 9},
		&usersv1.ExistsResponse{Exists: true},
		change, change,
		&usersv1.Applied{Change: change, Before: jeff, PasswordSet: true},
		&usersv1.ExportResponse{Accounts: []*usersv1.ExportedAccount{{Account: jeff, PasswordHash: []byte("$argon2id$")}}, Next: "jeff"},
		&usersv1.ShowResponse{Account: wide},
		&usersv1.ListResponse{Accounts: many, Next: "z"},
		&usersv1.CheckPasswordResponse{Matches: true},
		&usersv1.SessionsResponse{Sessions: []*accountv1.Session{{Id: "2", Listener: 1, CurrentCall: &accountv1.Call{Method: "find"}, OpenTransactions: []*accountv1.Transaction{{Id: "t"}}, Note: "n"}}},
		&usersv1.RecordsResponse{Records: []*usersv1.Record{{RequestId: account.NewRequestID(then).String(), Verb: "create", At: timestamppb.New(then)}}, Next: "x"},
		&usersv1.BackupResponse{Data: []byte("concourse")},
		&usersv1.RestoreResponse{Accounts: 1, TakenAt: timestamppb.New(then), StoreId: "s"},
		&usersv1.WatchEvent{Event: &usersv1.WatchEvent_Snapshot{Snapshot: &usersv1.Snapshot{Username: "jeff", AccountId: "1", Role: 1, Revision: 3, Grants: jeff.Grants}}},
	} {
		f.Add(byte(i), encoded(f, m), []byte{})
	}
	f.Add(byte(len(calls)-1), encoded(f, &usersv1.WatchEvent{Event: &usersv1.WatchEvent_Heartbeat{Heartbeat: &usersv1.Heartbeat{Number: 1, StoreId: "s", Load: &usersv1.Load{Hashing: 2}}}}), []byte("\xff"))
	f.Fuzz(func(t *testing.T, method byte, first, second []byte) {
		err := calls[int(method)%len(calls)](t, wire.NewClient(plugin{first, second}))
		if err == nil {
			return
		}
		if k := account.KindOf(err); k != account.KindInternal {
			t.Errorf("an answer is refused with %v: %v", k, err)
		}
	})
}

// FuzzStatus has the other side fail with whatever there is: the error is one
// of the closed list, short, on one line, and goes round.
func FuzzStatus(f *testing.F) {
	for _, err := range []error{
		account.NotFound("zoë"), account.Refused(account.ReasonLastAdmin, "root", "no"), account.Throttled(time.Minute),
		account.OutcomeUnknown(account.NewRequestID(then)), account.Invalid("role", "wrong"), account.NotAuthenticated(), context.Canceled, errors.New("hidden"),
	} {
		f.Add(encoded(f, status.Convert(wire.ToStatus(err)).Proto()))
	}
	hostile, err := status.New(codes.Unavailable, "\x1b[2J\u202e"+strings.Repeat("x", 2000)).WithDetails(
		&errdetails.ErrorInfo{Domain: wire.Domain, Reason: "OUTCOME\nUNKNOWN", Metadata: map[string]string{"subject": "\u009b", "request_id": strings.Repeat("y", 2000)}},
		&errdetails.RetryInfo{RetryDelay: &durationpb.Duration{Seconds: 1 << 62, Nanos: -5}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded(f, hostile.Proto()))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p spb.Status
		if proto.Unmarshal(data, &p) != nil {
			return
		}
		err := wire.FromStatus(status.FromProto(&p).Err())
		if err == nil {
			if p.GetCode() != int32(codes.OK) {
				t.Errorf("code %d is no error", p.GetCode())
			}
			return
		}
		e, ok := errors.AsType[*account.Error](err)
		if !ok || !slices.Contains(account.Kinds(), e.Kind) {
			t.Fatalf("it is %T: %v", err, err)
		}
		wellTold(t, err.Error(), e.Message, string(e.Reason), e.Field, e.Subject, e.RequestID)
		if e.RetryAfter < 0 || e.RetryAfter > time.Hour {
			t.Errorf("to be tried again in %v", e.RetryAfter)
		}
		if again := wire.FromStatus(wire.ToStatus(err)); account.KindOf(again) != e.Kind && !wire.Transport(err) && e.Kind != account.KindThrottled {
			t.Errorf("%v became %v", e.Kind, account.KindOf(again))
		}
	})
}

// wellFormed checks what holds of any account that comes from a plugin.
func wellFormed(t *testing.T, a account.Account) {
	t.Helper()
	bounded(t, len(a.ID), 64)
	bounded(t, len(a.Username), account.MaxUsername)
	bounded(t, len(a.Grants), account.MaxEnvironments)
	if a.Role != "" && a.Role != account.Admin && a.Role != account.User {
		t.Errorf("the role is %q", a.Role)
	}
	for environment, ps := range a.Grants {
		if err := account.CheckEnvironment(environment); err != nil {
			t.Error(err)
		}
		if len(ps) == 0 || !slices.IsSorted(ps) || len(slices.Compact(slices.Clone(ps))) != len(ps) {
			t.Errorf("the grant in %s is %q", environment, ps)
		}
		for _, p := range ps {
			if p != account.Read && p != account.Write {
				t.Errorf("a permission is %q", p)
			}
		}
	}
	for _, at := range []time.Time{a.CreatedAt, a.PasswordChangedAt, a.LastLoginAt} {
		if _, err := at.MarshalJSON(); err != nil {
			t.Error(err)
		}
	}
}

func bounded(t *testing.T, n, most int) {
	t.Helper()
	if n > most {
		t.Errorf("%d of something, of which there may be %d", n, most)
	}
}

// wellTold checks texts that people get to see.
func wellTold(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		odd := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u200c' && r != '\u200d' }
		if len(s) > 1100 || !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
			t.Errorf("a text of %d bytes: %.100q", len(s), s)
		}
	}
}
