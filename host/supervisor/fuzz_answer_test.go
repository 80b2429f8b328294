package supervisor

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// answering is a connection to a plugin that answers every call with the same
// message, and then ends the stream.
type answering struct {
	grpc.ClientStream
	ctx    context.Context
	answer []byte
	given  bool
}

func (a *answering) Invoke(_ context.Context, _ string, _, reply any, _ ...grpc.CallOption) error {
	return a.into(reply)
}

func (a *answering) NewStream(ctx context.Context, _ *grpc.StreamDesc, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &answering{ctx: ctx, answer: a.answer}, nil
}

func (a *answering) Context() context.Context { return a.ctx }
func (*answering) SendMsg(any) error          { return nil }
func (*answering) CloseSend() error           { return nil }

func (a *answering) RecvMsg(m any) error {
	if a.given {
		return io.EOF
	}
	a.given = true
	return a.into(m)
}

func (a *answering) into(m any) error {
	if unread, ok := m.(*wire.Unread); ok {
		unread.ProtoReflect().SetUnknown(a.answer)
		return nil
	}
	if err := proto.Unmarshal(a.answer, m.(proto.Message)); err != nil {
		return status.Error(codes.Internal, "grpc: failed to unmarshal the received message")
	}
	return nil
}

// over returns a supervisor of a plugin that is nothing but the connection.
func over(conn grpc.ClientConnInterface) *Supervisor {
	in := &instance{exe: &executable{path: "/plugins/backend"}, users: wire.NewClient(conn)}
	in.over, in.end = context.WithCancelCause(context.Background())
	in.serving, in.withdraw = context.WithCancel(in.over)
	in.description.Capabilities = []string{account.CapabilityChange, account.CapabilityApply, account.CapabilityExport}
	return &Supervisor{
		options: Options{CallTimeout: time.Minute, Logger: hclog.NewNullLogger()}.withDefaults(),
		exe:     in.exe, live: in, current: in, turn: make(chan struct{}),
	}
}

// asked names what the host asks about: an account that the seeds have, and rows
// of a listing.
const asked = "jeff"

var sent = []account.Session{{ID: "2", Listener: account.ClientListener, Username: "a"}, {ID: "3", Listener: account.ClientListener, Calls: 7}, {ID: "4", Listener: account.ManagementListener}}

// believed are the supervisor's methods, each with what it may believe of an
// answer.
var believed = []func(t *testing.T, s *Supervisor) error{
	func(t *testing.T, s *Supervisor) error {
		l, err := s.Authenticate(t.Context(), account.Credentials{Username: asked})
		whole(t, err, l.Account)
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		a, err := s.Show(t.Context(), account.Caller{}, asked)
		whole(t, err, a)
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		c, err := s.Edit(t.Context(), account.Invocation{RequestID: account.NewRequestID(time.Now())}, account.Edit{Username: asked})
		if err == nil && (c.Account.Username != asked || !c.Gone && !c.Repeated && c.Account.ID == "") {
			t.Errorf("the change is %+v", c)
		}
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		a, err := s.Apply(t.Context(), account.Invocation{RequestID: account.NewRequestID(time.Now())}, account.Desired{Username: asked})
		if err == nil && !a.Repeated {
			whole(t, nil, a.Account)
			if a.Before != nil && (a.Before.ID != a.Account.ID || a.Before.Generation != a.Account.Generation && !a.EndsSessions()) {
				t.Errorf("before it was %+v, and then %+v", *a.Before, a)
			}
		}
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		page, next, err := s.List(t.Context(), account.Caller{}, "b")
		after := "b"
		for _, a := range page {
			if a.ID == "" || a.Role == "" || a.Username <= after {
				t.Errorf("%+v stands after %q", a, after)
			}
			after = a.Username
		}
		if next != "" && next <= "b" {
			t.Errorf("the page after %q is followed by that after %q", "b", next)
		}
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		_, next, err := s.Export(t.Context(), account.Caller{}, "b")
		if next != "" && next <= "b" {
			t.Errorf("the page after %q is followed by that after %q", "b", next)
		}
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		from := account.FirstRequestID(time.UnixMilli(1))
		page, next, err := s.Records(t.Context(), from)
		for _, r := range page {
			if bytes.Compare(r.RequestID[:], from[:]) <= 0 {
				t.Errorf("the record %s stands after %s", r.RequestID, from)
			}
			from = r.RequestID
		}
		if !next.IsZero() && bytes.Compare(next[:], from[:]) < 0 {
			t.Errorf("the page up to %s is followed by that after %s", from, next)
		}
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		rows, err := s.Sessions(t.Context(), account.Caller{}, slices.Clone(sent)) // which it may write to
		left := sent
		for _, r := range rows {
			i := slices.IndexFunc(left, func(o account.Session) bool { return o.ID == r.ID })
			if i < 0 || r.Username != left[i].Username || r.Calls != left[i].Calls || r.Listener != left[i].Listener || !told(r.Note, account.MaxNote) {
				t.Fatalf("the row %+v was not sent", r)
			}
			left = left[i+1:]
		}
		return err
	},
	func(t *testing.T, s *Supervisor) error {
		return s.Watch(t.Context(), make(chan account.WatchRequest), func(e account.WatchEvent) error {
			if (e.Snapshot == nil) == (e.Heartbeat == nil) || e.Snapshot != nil && (e.Snapshot.Username == "" || !e.Snapshot.Gone() && e.Snapshot.Role == "") {
				t.Errorf("the event is %+v", e)
			}
			return nil
		})
	},
}

func whole(t *testing.T, err error, a account.Account) {
	t.Helper()
	if err == nil && (a.Username != asked || a.ID == "" || a.Role != account.Admin && a.Role != account.User) {
		t.Errorf("the account is %+v", a)
	}
}

// ofChanges are the places in believed of what changes something.
var ofChanges = []int{2, 3}

// FuzzAnswer has a plugin answer with whatever there is: the host believes no
// account but the one that it asked for, no order but the right one, no row that
// it did not send, and blames the plugin, not its caller, who is told of a change
// that its outcome is unknown.
func FuzzAnswer(f *testing.F) {
	jeff := &accountv1.Account{Id: "1", Generation: 1, Username: asked, Role: accountv1.Role_ROLE_USER}
	other := &accountv1.Account{Id: "2", Generation: 2, Username: "c", Role: accountv1.Role_ROLE_ADMIN, Enabled: true}
	change := &usersv1.Change{Changed: true, Account: jeff, Revision: 3}
	records := &usersv1.RecordsResponse{}
	for _, at := range []int64{7, 3} {
		records.Records = append(records.Records, &usersv1.Record{RequestId: account.FirstRequestID(time.UnixMilli(at)).String()})
	}
	for i, ms := range [][]proto.Message{
		{&usersv1.AuthenticateResponse{Account: jeff}, &usersv1.AuthenticateResponse{Account: other}},
		{&usersv1.ShowResponse{Account: jeff}, &usersv1.ShowResponse{}},
		{change, &usersv1.Change{Gone: true, Account: &accountv1.Account{Username: asked}}, &usersv1.Change{Repeated: true, Account: &accountv1.Account{Username: asked, Id: "9"}}},
		{&usersv1.Applied{Change: change, Before: jeff}, &usersv1.Applied{Change: change, Before: other}, &usersv1.Applied{Change: &usersv1.Change{Account: jeff}, Before: &accountv1.Account{Id: "1", Username: asked, Role: 2, Generation: 9}}},
		{&usersv1.ListResponse{Accounts: []*accountv1.Account{other, jeff}, Next: asked}, &usersv1.ListResponse{Accounts: []*accountv1.Account{jeff, other}}, &usersv1.ListResponse{Next: "a"}},
		{&usersv1.ExportResponse{Accounts: []*usersv1.ExportedAccount{{Account: other}}, Next: "c"}},
		{records, &usersv1.RecordsResponse{Next: account.FirstRequestID(time.UnixMilli(9)).String()}},
		{
			&usersv1.SessionsResponse{Sessions: []*accountv1.Session{{Id: "2", Listener: 2, Username: "mine", Note: "n\u202e"}, {Id: "4", Listener: 1}}},
			&usersv1.SessionsResponse{Sessions: []*accountv1.Session{{Id: "4", Listener: 1}, {Id: "2", Listener: 1}}},
		},
		{
			&usersv1.WatchEvent{Event: &usersv1.WatchEvent_Snapshot{Snapshot: &usersv1.Snapshot{Username: asked, AccountId: "1", Role: 1}}},
			&usersv1.WatchEvent{Event: &usersv1.WatchEvent_Snapshot{Snapshot: &usersv1.Snapshot{AccountId: "1"}}},
			&usersv1.WatchEvent{Event: &usersv1.WatchEvent_Heartbeat{}}, &usersv1.WatchEvent{},
		},
	} {
		for _, m := range ms {
			data, err := proto.Marshal(m)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(byte(i), data)
		}
	}
	f.Fuzz(func(t *testing.T, method byte, answer []byte) {
		s := over(&answering{answer: answer})
		i, want := int(method)%len(believed), account.KindInternal
		if slices.Contains(ofChanges, i) {
			want = account.KindOutcomeUnknown
		}
		err := believed[i](t, s)
		if k := account.KindOf(err); err != nil && k != want {
			t.Errorf("the plugin's answer is refused with %v: %v, want %v", k, err, want)
		}
		s.live.calls.Wait() // none is left under way
	})
}
