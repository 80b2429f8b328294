package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// FuzzSessionRows holds the code that reads and writes session rows by itself
// against the generated one: it accepts nothing that the other refuses, and what
// both accept means the same to both.
func FuzzSessionRows(f *testing.F) {
	row := &accountv1.Session{
		Id: "2", Host: "h", AccountId: "a1", Username: "zoë", Role: 1, RemoteAddress: "[::1]:5", Listener: 2, Client: strings.Repeat("j", 200), Environment: "e",
		ConnectedSince: timestamppb.New(then), LastActive: &timestamppb.Timestamp{Seconds: -1}, Calls: 1 << 63, Connections: 1 << 31,
		CurrentCall: &accountv1.Call{Method: "find", Since: timestamppb.New(then)}, OpenTransactions: []*accountv1.Transaction{{Id: "t", Environment: "o"}, {Since: timestamppb.New(then)}}, Note: "n",
	}
	for _, m := range []*usersv1.SessionsResponse{
		{}, {Sessions: []*accountv1.Session{row, row}}, {Sessions: []*accountv1.Session{{Listener: 1}}}, {Sessions: []*accountv1.Session{{}}}, {Sessions: []*accountv1.Session{{Role: 9, Listener: 1}}},
		{Sessions: []*accountv1.Session{{Listener: 1, LastActive: &timestamppb.Timestamp{Nanos: -1}}}}, {Sessions: []*accountv1.Session{{Listener: 1, LastActive: &timestamppb.Timestamp{Seconds: 253402300800}}}},
		{Sessions: []*accountv1.Session{{Listener: 1, ConnectedSince: &timestamppb.Timestamp{Seconds: -62135596800}}}},
		{Sessions: make([]*accountv1.Session, account.MaxBatch+1)},
	} {
		f.Add(encoded(f, m))
	}
	for _, raw := range []string{
		"\x0a\x05\x0a\x02\xff\xfe\x38", "\x0a\x7f", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x0b\x0c", "\x12\x02ab\x0a\x02\x38\x01", "\x00", "\x0a\x04\x38\x01\x38\x02",
		"\x0a\x0c\x38\x01\x5a\x02\x08\x01\x5a\x02\x10\x02", "\x0a\x03\x38\x81\x00", "\x0a\x0a\x38\x01\x0d\x01\x02\x03\x04\x08\x07\x11", "\x8a\x00\x02\x38\x01",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := wire.ReadSessions(unread(data))
		var m usersv1.SessionsResponse
		if refusal := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, &m); refusal != nil {
			if err == nil {
				t.Errorf("%d rows were read from what is no message: %v", len(got), refusal)
			}
			return
		}
		want, refusal := wire.SessionsFromProto(m.Sessions)
		// The form in which the generated code writes it, in which nothing that may
		// stand there once stands twice, nor anything that nobody knows.
		usual, err := proto.Marshal(&m)
		if err != nil {
			t.Fatal(err)
		}
		got, err = wire.ReadSessions(unread(usual))
		if (err == nil) != (refusal == nil) {
			t.Fatalf("refused with %v, and by the generated code with %v", err, refusal)
		}
		if err != nil {
			return
		}
		if len(got)+len(want) > 0 {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the generated code reads something else (-it +we):\n%s", diff)
			}
		}
		var written []byte
		for i := range want {
			written = wire.AppendSession(written, &want[i])
		}
		again := &usersv1.SessionsResponse{}
		if err := proto.Unmarshal(written, again); err != nil {
			t.Fatalf("what was written is no message: %v", err)
		}
		if generated := (&usersv1.SessionsResponse{Sessions: wire.SessionsToProto(want)}); !proto.Equal(generated, again) {
			t.Errorf("written were %v, and by the generated code %v", again, generated)
		}
	})
}
