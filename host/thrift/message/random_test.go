package message_test

import (
	"context"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// writer writes messages with Thrift's own library. What it writes to cannot
// fail.
type writer struct {
	*thrift.TBinaryProtocol
	buffer *thrift.TMemoryBuffer
}

var ctx = context.Background()

func newWriter(strict bool) writer {
	b := thrift.NewTMemoryBuffer()
	return writer{thrift.NewTBinaryProtocolConf(b, &thrift.TConfiguration{TBinaryStrictWrite: &strict}), b}
}

// simple is a message with one field, the string.
func simple(strict bool, name string, kind thrift.TMessageType, seqID int32, text string) []byte {
	w := newWriter(strict)
	w.WriteMessageBegin(ctx, name, kind, seqID)
	w.WriteFieldBegin(ctx, "", thrift.STRING, 7)
	w.WriteString(ctx, text)
	w.WriteFieldStop(ctx)
	return w.buffer.Bytes()
}

// nested is a message with one field of so many lists, one in the other, and in
// the last what is in it: a number, or nothing.
func nested(depth, elements int) []byte {
	w := newWriter(true)
	w.WriteMessageBegin(ctx, "deep", thrift.CALL, 1)
	w.WriteFieldBegin(ctx, "", thrift.LIST, 1)
	for range depth - 1 {
		w.WriteListBegin(ctx, thrift.LIST, 1)
	}
	w.WriteListBegin(ctx, thrift.I32, elements)
	for range elements {
		w.WriteI32(ctx, 1)
	}
	w.WriteFieldStop(ctx)
	return w.buffer.Bytes()
}

// thriftLength returns how many bytes of a message Thrift's own library reads.
func thriftLength(p []byte) (int, error) {
	b := thrift.NewTMemoryBufferLen(len(p))
	b.Write(p)
	r := thrift.NewTBinaryProtocolConf(b, &thrift.TConfiguration{MaxMessageSize: 1<<31 - 1, MaxContainerSize: 1<<31 - 1})
	if _, _, _, err := r.ReadMessageBegin(ctx); err != nil {
		return 0, err
	}
	for {
		_, kind, _, err := r.ReadFieldBegin(ctx)
		if err == nil && kind != thrift.STOP {
			err = r.Skip(ctx, kind)
		}
		if err != nil {
			return 0, err
		}
		if kind == thrift.STOP {
			return len(p) - b.Len(), nil
		}
	}
}

var kinds = []thrift.TType{
	thrift.BOOL, thrift.BYTE, thrift.I16, thrift.I32, thrift.I64, thrift.DOUBLE, thrift.UUID, thrift.STRING,
	thrift.STRUCT, thrift.LIST, thrift.SET, thrift.MAP,
}

// value writes some value of the type, with no containers in the last of its
// levels.
func (w writer) value(r *rand.Rand, kind thrift.TType, levels int) {
	some := func() thrift.TType {
		if levels == 0 {
			return kinds[r.IntN(8)]
		}
		return kinds[r.IntN(len(kinds))]
	}
	switch kind {
	case thrift.BOOL:
		w.WriteBool(ctx, r.IntN(2) == 0)
	case thrift.BYTE:
		w.WriteByte(ctx, int8(r.Int()))
	case thrift.I16:
		w.WriteI16(ctx, int16(r.Int()))
	case thrift.I32:
		w.WriteI32(ctx, int32(r.Int()))
	case thrift.I64:
		w.WriteI64(ctx, r.Int64())
	case thrift.DOUBLE:
		w.WriteDouble(ctx, r.NormFloat64())
	case thrift.UUID:
		w.WriteUUID(ctx, thrift.Tuuid{byte(r.Int()), 15: byte(r.Int())})
	case thrift.STRING:
		n := r.IntN(40)
		if r.IntN(20) == 0 {
			n = r.IntN(40_000)
		}
		w.WriteString(ctx, strings.Repeat("s", n))
	case thrift.STRUCT:
		for range r.IntN(4) {
			of := some()
			w.WriteFieldBegin(ctx, "", of, int16(r.Int()))
			w.value(r, of, max(0, levels-1))
		}
		w.WriteFieldStop(ctx)
	case thrift.LIST, thrift.SET:
		of, n := some(), r.IntN(4)
		w.WriteListBegin(ctx, of, n)
		for range n {
			w.value(r, of, max(0, levels-1))
		}
	case thrift.MAP:
		key, value, n := some(), some(), r.IntN(4)
		w.WriteMapBegin(ctx, key, value, n)
		for range n {
			w.value(r, key, max(0, levels-1))
			w.value(r, value, max(0, levels-1))
		}
	}
}

// random returns a message, and how many fields it has.
func random(r *rand.Rand) ([]byte, int) {
	w := newWriter(r.IntN(2) == 0)
	w.WriteMessageBegin(ctx, strings.Repeat("n", r.IntN(30)), thrift.TMessageType(1+r.IntN(4)), int32(r.Int()))
	n := r.IntN(8)
	for id := range n {
		kind := kinds[r.IntN(len(kinds))]
		w.WriteFieldBegin(ctx, "", kind, int16(id))
		w.value(r, kind, r.IntN(6))
	}
	w.WriteFieldStop(ctx)
	return w.buffer.Bytes(), n
}

// stream gives a message in pieces, the first of them first bytes long and the
// rest of next each, and keeps what the reader ever held: the room behind what
// has come counts too.
type stream struct {
	rest        []byte
	first, next int
	arrived     int
	reads       int
	check       func(held, arrived int)
}

func (s *stream) Read(p []byte) (int, error) {
	s.reads++
	if s.check != nil {
		s.check(s.arrived+cap(p), s.arrived)
	}
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := s.next
	if s.arrived == 0 {
		n = s.first
	}
	n = copy(p[:min(n, len(p))], s.rest)
	s.rest = s.rest[n:]
	s.arrived += n
	return n, nil
}

var (
	token       = []byte("0123456789abcdef0123456789abcdef")
	environment = "default"
)

// samples returns messages as drivers and servers send them, at least one of each
// class.
func samples(t testing.TB) [][]byte {
	c := driver.Call{Token: token, Environment: &environment, Transaction: &driver.Transaction{Token: token, Timestamp: 1763945123456789}}
	outside := c
	outside.Transaction = nil
	var all [][]byte
	add := func(o driver.Options, c driver.Call, methods ...string) {
		for _, m := range methods {
			b, err := o.Request(m, 3, c)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
		}
	}
	add(driver.Options{}, outside, "login", "logout", "stage", "getServerVersion", "invokeManagement", "addKeyValueRecord", "calculate:sumKeyRecords")
	add(driver.Options{}, c, "commit", "abort", "ping", "clearRecord", "reviewRecord", "findCcl", "selectKeysCriteriaOrderPage", "navigate:navigateKeysRecords", "verifyAndSwap", "revertKeysRecordsTimestr", "insertJsonRecords", "reconcileKeyRecordValues")
	add(driver.Options{Style: driver.Bare}, c, "setKeyValueRecord", "selectRecords")
	add(driver.Options{Style: driver.Bare, Unversioned: true}, c, "getKeyRecord")
	add(driver.Options{Management: true}, c, "login", "createUser", "revoke", "installPluginBundle")

	reply := func(kind thrift.TMessageType, fields func(w writer)) {
		w := newWriter(true)
		w.WriteMessageBegin(ctx, "method", kind, 3)
		fields(w)
		w.WriteFieldStop(ctx)
		all = append(all, w.buffer.Bytes())
	}
	reply(thrift.REPLY, func(writer) {})
	reply(thrift.REPLY, func(w writer) { // stage
		w.WriteFieldBegin(ctx, "", thrift.STRUCT, 0)
		w.buffer.Write(message.AppendTransactionToken(nil, token, 7))
	})
	reply(thrift.REPLY, func(w writer) { // a refusal
		w.WriteFieldBegin(ctx, "", thrift.STRUCT, 1)
		w.WriteFieldBegin(ctx, "", thrift.STRING, 1)
		w.WriteString(ctx, "Invalid access token")
		w.WriteFieldStop(ctx)
	})
	reply(thrift.EXCEPTION, func(w writer) {
		w.WriteFieldBegin(ctx, "", thrift.STRING, 1)
		w.WriteString(ctx, "Internal error processing method")
		w.WriteFieldBegin(ctx, "", thrift.I32, 2)
		w.WriteI32(ctx, thrift.INTERNAL_ERROR)
	})
	reply(thrift.REPLY, func(w writer) { // map<i64,map<string,set<TObject>>>
		w.WriteFieldBegin(ctx, "", thrift.MAP, 0)
		w.WriteMapBegin(ctx, thrift.I64, thrift.MAP, 2)
		for record := range 2 {
			w.WriteI64(ctx, int64(record))
			w.WriteMapBegin(ctx, thrift.STRING, thrift.SET, 1)
			w.WriteString(ctx, "name")
			w.WriteSetBegin(ctx, thrift.STRUCT, 1)
			w.WriteFieldBegin(ctx, "", thrift.STRING, 1)
			w.WriteString(ctx, "jeff")
			w.WriteFieldBegin(ctx, "", thrift.I32, 2)
			w.WriteI32(ctx, 7)
			w.WriteFieldStop(ctx)
		}
	})
	return all
}
