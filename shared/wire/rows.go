package wire

import (
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/shared/account"
)

// A listing may have 100,000 session rows, and each is written and read three
// times on its way. With generated messages between, that is most of the time
// that a listing takes, and a dozen allocations for every reading. So rows are
// written straight from domain structs here, and read straight into them in
// rows_read.go. What is on the wire is what account.proto says; the tests hold
// this code against the generated one.

// The numbers of the rows' field: in the answers of both services, and in a
// SessionsRequest.
const (
	sessionsField        protowire.Number = 1
	requestSessionsField protowire.Number = 2
)

// WithRows gives a message rows that are encoded, as fields that it sends as
// they are. Its own field for them is empty.
func WithRows[M proto.Message](m M, encoded []byte) M {
	m.ProtoReflect().SetUnknown(encoded)
	return m
}

// AppendSession encodes one row of an answer.
func AppendSession(b []byte, s *account.Session) []byte { return appendSession(b, sessionsField, s) }

// What a length takes, in bytes: that of a row almost always, and that of
// anything smaller.
const (
	rowLength   = 2
	shortLength = 1
)

// usualRow is about what a row takes, in bytes.
const usualRow = 192

// appendSessions encodes rows as a message's repeated field.
func appendSessions(b []byte, field protowire.Number, rows []account.Session) []byte {
	b = slices.Grow(b, len(rows)*usualRow)
	for i := range rows {
		b = appendSession(b, field, &rows[i])
	}
	return b
}

// mostRows bounds the rows of a request, in bytes: what comes back has notes besides.
const mostRows = MaxMessage / 2

// appendFitting is appendSessions for as many rows as fit in mostRows, one at least,
// and returns how many these are.
func appendFitting(b []byte, field protowire.Number, rows []account.Session) ([]byte, int) {
	b = slices.Grow(b, len(rows)*usualRow)
	for i := range rows {
		size := len(b)
		b = appendSession(b, field, &rows[i])
		if i > 0 && len(b) > mostRows {
			return b[:size], i
		}
	}
	return b, len(rows)
}

func appendSession(b []byte, field protowire.Number, s *account.Session) []byte {
	b, begin := appendOpening(b, field, rowLength)
	b = appendText(b, 1, s.ID)
	b = appendText(b, 2, s.Host)
	b = appendText(b, 3, string(s.AccountID))
	b = appendText(b, 4, s.Username)
	b = appendNumber(b, 5, uint64(RoleToProto(s.Role)))
	b = appendText(b, 6, s.RemoteAddress)
	b = appendNumber(b, 7, uint64(ListenerToProto(s.Listener)))
	b = appendText(b, 8, s.Client)
	b = appendText(b, 9, s.Environment)
	b = appendTime(b, 10, s.ConnectedSince)
	b = appendTime(b, 11, s.LastActive)
	b = appendNumber(b, 12, s.Calls)
	b = appendNumber(b, 13, uint64(uint32(s.Connections)))
	if c := s.CurrentCall; c != nil {
		b = appendSince(b, 14, c.Method, c.Since, "")
	}
	for _, t := range s.OpenTransactions {
		b = appendSince(b, 15, t.ID, t.Since, t.Environment)
	}
	b = appendText(b, 16, s.Note)
	return closed(b, begin, rowLength)
}

// appendSince encodes a Transaction, or a Call, which has no environment.
func appendSince(b []byte, field protowire.Number, name string, since time.Time, environment string) []byte {
	b, begin := appendOpening(b, field, shortLength)
	b = appendTime(appendText(b, 1, name), 2, since)
	b = appendText(b, 3, environment)
	return closed(b, begin, shortLength)
}

func appendTime(b []byte, field protowire.Number, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b, begin := appendOpening(b, field, shortLength)
	b = appendNumber(b, 1, uint64(t.Unix()))
	b = appendNumber(b, 2, uint64(t.Nanosecond()))
	return closed(b, begin, shortLength)
}

func appendText(b []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), text)
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

// appendOpening begins a nested message and leaves room for its length.
func appendOpening(b []byte, field protowire.Number, room int) (_ []byte, begin int) {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return append(b, 0, 0)[:len(b)+room], len(b) + room
}

// closed writes the length of the message that has begun, and moves the message
// if that takes another room than was left.
func closed(b []byte, begin, room int) []byte {
	n := len(b) - begin
	size := protowire.SizeVarint(uint64(n))
	if size != room {
		moved := begin - room + size
		b = slices.Grow(b, size)
		copy(b[moved:moved+n], b[begin:])
		b = b[:moved+n]
	}
	protowire.AppendVarint(b[:begin-room], uint64(n))
	return b
}
