package wire_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Rows are encoded and decoded by hand. What that makes of them is what the
// generated code makes of them.
func TestSessionRows(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	full := account.Session{
		ID: "i", Host: "h", AccountID: "a", Username: "u", Role: account.Admin, RemoteAddress: "r",
		Listener: account.ClientListener, Client: "c", Environment: "e", ConnectedSince: at, LastActive: at.Add(time.Hour),
		Calls: 1 << 40, Connections: 1 << 31, CurrentCall: &account.Call{Method: strings.Repeat("m", 200), Since: at},
		OpenTransactions: []account.Transaction{{ID: "t", Since: at, Environment: "other"}, {ID: strings.Repeat("t", 20000)}}, Note: "n",
	}
	small := account.Session{Listener: account.ManagementListener}
	want := &usersv1.SessionsResponse{Sessions: []*accountv1.Session{{
		Id: "i", Host: "h", AccountId: "a", Username: "u", Role: accountv1.Role_ROLE_ADMIN, RemoteAddress: "r",
		Listener: accountv1.Listener_LISTENER_CLIENT, Client: "c", Environment: "e",
		ConnectedSince: timestamppb.New(at), LastActive: timestamppb.New(at.Add(time.Hour)), Calls: 1 << 40, Connections: 1 << 31,
		CurrentCall:      &accountv1.Call{Method: strings.Repeat("m", 200), Since: timestamppb.New(at)},
		OpenTransactions: []*accountv1.Transaction{{Id: "t", Since: timestamppb.New(at), Environment: "other"}, {Id: strings.Repeat("t", 20000)}}, Note: "n",
	}, {Listener: accountv1.Listener_LISTENER_MANAGEMENT}}}
	raw := wire.AppendSession(wire.AppendSession(nil, &full), &small)
	got := &usersv1.SessionsResponse{}
	if err := proto.Unmarshal(raw, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("encoded (-want +got):\n%s", diff)
	}
	if raw, err := proto.Marshal(want); err != nil {
		t.Error(err)
	} else if rows, err := wire.ReadSessions(unread(raw)); err != nil {
		t.Error(err)
	} else if diff := cmp.Diff([]account.Session{full, small}, rows); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

// A field that account.proto has and this code does not know would be lost here.
func TestSessionRowsHaveEveryField(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		want := &usersv1.SessionsResponse{}
		for range 1 + draw.IntN(3) {
			row := &accountv1.Session{}
			fill(draw, row.ProtoReflect())
			want.Sessions = append(want.Sessions, row)
		}
		raw, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := wire.ReadSessions(unread(raw))
		if err != nil {
			t.Fatal(err)
		}
		raw = nil
		for i := range rows {
			raw = wire.AppendSession(raw, &rows[i])
		}
		got := &usersv1.SessionsResponse{}
		if err := proto.Unmarshal(raw, got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func unread(raw []byte) *wire.Unread { return wire.WithRows(&wire.Unread{}, raw) }

// fill gives every field a value, and a list two.
func fill(draw *rand.Rand, m protoreflect.Message) {
	if m.Descriptor().FullName() == "google.protobuf.Timestamp" {
		m.Set(m.Descriptor().Fields().ByName("seconds"), protoreflect.ValueOfInt64(1+draw.Int64N(1<<33)))
		m.Set(m.Descriptor().Fields().ByName("nanos"), protoreflect.ValueOfInt32(1+draw.Int32N(999_999_999)))
		return
	}
	for i := range m.Descriptor().Fields().Len() {
		field := m.Descriptor().Fields().Get(i)
		if field.IsList() {
			for range 2 {
				fill(draw, m.Mutable(field).List().AppendMutable().Message())
			}
			continue
		}
		switch field.Kind() {
		case protoreflect.StringKind:
			m.Set(field, protoreflect.ValueOfString(strings.Repeat("ß", 1+draw.IntN(100))))
		case protoreflect.Uint64Kind:
			m.Set(field, protoreflect.ValueOfUint64(1+draw.Uint64N(1<<63)))
		case protoreflect.Uint32Kind:
			m.Set(field, protoreflect.ValueOfUint32(1+draw.Uint32N(1<<31)))
		case protoreflect.EnumKind:
			m.Set(field, protoreflect.ValueOfEnum(protoreflect.EnumNumber(1+draw.IntN(2))))
		default:
			fill(draw, m.Mutable(field).Message())
		}
	}
}

func TestSessionRowsThatCannotBe(t *testing.T) {
	row := func(field ...byte) []byte { // beside a listener, without which there is no row
		return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), append([]byte{7 << 3, 1}, field...))
	}
	for name, raw := range map[string][]byte{
		"NoListener":      {1<<3 | 2, 0},
		"UnknownListener": row(7<<3, 3),
		"UnknownRole":     row(5<<3, 3),
		"CutShort":        row(1<<3|2, 2, 'a'),
		"RowCutShort":     {1<<3 | 2, 5, 7 << 3, 1},
		"NotUTF8":         row(1<<3|2, 1, 0xff),
		"TimeCutShort":    row(10<<3|2, 1, 1<<3),
		"TimeBeyond9999":  row(append([]byte{10<<3 | 2, 7, 1 << 3}, protowire.AppendVarint(nil, 253402300800)...)...),
		"NanosBelowZero":  row(append([]byte{10<<3 | 2, 11, 2 << 3}, protowire.AppendVarint(nil, 1<<64-1)...)...),
		"FieldNumberZero": row(0, 0),
		"EndlessNumber":   row(append([]byte{12 << 3}, strings.Repeat("\xff", 12)...)...),
		"Group":           row(100<<3&0x7f|3, 6, 100<<3&0x7f|4, 6),
	} {
		t.Run(name, func(t *testing.T) {
			if rows, err := wire.ReadSessions(unread(raw)); err == nil {
				t.Errorf("read %+v", rows)
			}
		})
	}
	t.Run("UnknownFields", func(t *testing.T) {
		m := row()
		for _, kind := range []protowire.Type{protowire.VarintType, protowire.Fixed32Type, protowire.Fixed64Type, protowire.BytesType} {
			m = append(protowire.AppendTag(m, 90, kind), map[protowire.Type]string{
				protowire.VarintType: "\x80\x01", protowire.Fixed32Type: "1234", protowire.Fixed64Type: "12345678", protowire.BytesType: "\x03123",
			}[kind]...)
		}
		if rows, err := wire.ReadSessions(unread(m)); err != nil || len(rows) != 1 {
			t.Errorf("read %+v, %v", rows, err)
		}
	})
}
