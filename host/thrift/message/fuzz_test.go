package message_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// What is read is what Thrift's own library reads, to the same length, but for
// what is beyond the bounds; how it comes in makes no difference; memory follows
// what has come and the limit.
func FuzzRead(f *testing.F) {
	const most = 60_000
	for _, m := range samples(f) {
		f.Add(m, uint16(len(m)), uint16(1))
		f.Add(m[:len(m)/2], uint16(1), uint16(len(m)))
		f.Add(append(m, m...), uint16(7), uint16(3))
	}
	for depth := 62; depth < 66; depth++ {
		f.Add(nested(depth, depth%2), uint16(9), uint16(9))
	}
	f.Add(simple(true, strings.Repeat("n", 1024), thrift.CALL, 1, strings.Repeat("x", 40_000)), uint16(500), uint16(20_000))
	f.Add(simple(false, strings.Repeat("n", 1025), thrift.CALL, 1, strings.Repeat("x", most)), uint16(500), uint16(500))
	f.Add([]byte{0x80, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, thrift.STRING, 0, 1, 0x7f, 0xff, 0xff, 0xff}, uint16(20), uint16(1))
	f.Add([]byte{0x80, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, thrift.MAP, 0, 1, thrift.UUID, thrift.STRUCT, 0x7f, 0xff, 0xff, 0xff}, uint16(20), uint16(1))
	f.Fuzz(func(t *testing.T, in []byte, first, next uint16) {
		s := &stream{rest: in, first: 1 + int(first), next: 1 + int(next)}
		s.check = func(held, arrived int) {
			if held > max(16<<10, 2*arrived) || held > most {
				t.Fatalf("it holds %d bytes when %d have come", held, arrived)
			}
		}
		m, err := message.NewReader(s, most).Read()
		length, thriftErr := thriftLength(in)
		switch {
		case err == nil:
			if thriftErr != nil || length != len(m.Bytes) || length > most {
				t.Fatalf("it read %d bytes, and Thrift %d: %v", len(m.Bytes), length, thriftErr)
			}
			judge(t, m, in)
			streamed(t, m, in, int(next))
		case thriftErr == nil:
			beyond(t, err, in, length, most)
		}
	})
}

// judge holds what was read of a message against what Thrift reads.
func judge(t *testing.T, m *message.Message, in []byte) {
	b := thrift.NewTMemoryBuffer()
	b.Write(in)
	r := thrift.NewTBinaryProtocolConf(b, &thrift.TConfiguration{MaxMessageSize: 1<<31 - 1, MaxContainerSize: 1<<31 - 1})
	name, kind, seqID, err := r.ReadMessageBegin(ctx)
	if err != nil || name != string(m.Name) || kind != m.Kind || seqID != m.SeqID || m.Streamed || !bytes.Equal(m.Bytes, in[:len(m.Bytes)]) {
		t.Fatalf("%+v is %q, %d, %d: %v", m, name, kind, seqID, err)
	}
	for _, f := range m.Fields {
		_, kind, id, err := r.ReadFieldBegin(ctx)
		if err != nil || byte(kind) != f.Type || id != f.ID || f.Value != len(in)-b.Len() {
			t.Fatalf("%+v is field %d of type %d at %d: %v", f, id, kind, len(in)-b.Len(), err)
		}
		if err := r.Skip(ctx, kind); err != nil || f.End != len(in)-b.Len() {
			t.Fatalf("%+v ends at %d: %v", f, len(in)-b.Len(), err)
		}
	}
	if _, kind, _, err := r.ReadFieldBegin(ctx); err != nil || kind != thrift.STOP {
		t.Fatalf("after the fields there is one of type %d: %v", kind, err)
	}
}

// streamed reads the message again, as one to be streamed.
func streamed(t *testing.T, m *message.Message, in []byte, next int) {
	var sent []byte
	r := message.NewReader(&stream{rest: in, first: 1 + next, next: 1 + next}, len(m.Bytes))
	r.Stream(next, func(head *message.Message, part []byte) error {
		if head.Kind != m.Kind || head.SeqID != m.SeqID || (len(sent) == 0) != bytes.Equal(head.Name, m.Name) && len(m.Name) > 0 {
			t.Fatalf("the head is %+v after %d bytes, of %+v", head, len(sent), m)
		}
		sent = append(sent, part...)
		return nil
	})
	again, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	if !again.Streamed {
		sent = append(sent, again.Bytes...)
	}
	if !bytes.Equal(sent, m.Bytes) {
		t.Fatalf("streamed: %d bytes, not %d", len(sent), len(m.Bytes))
	}
}

// beyond checks that what Thrift reads and we do not is beyond our bounds.
func beyond(t *testing.T, err error, in []byte, length, most int) {
	b := thrift.NewTMemoryBuffer()
	b.Write(in)
	r := thrift.NewTBinaryProtocolConf(b, &thrift.TConfiguration{MaxMessageSize: 1<<31 - 1})
	name, kind, _, headErr := r.ReadMessageBegin(ctx)
	if headErr != nil {
		t.Fatal(headErr)
	}
	switch {
	case errors.Is(err, message.ErrTooLong) && length > most:
	case errors.Is(err, message.ErrNoThrift) && (len(name) > 1024 || kind < thrift.CALL || kind > thrift.ONEWAY):
	case errors.Is(err, message.ErrTooMany):
		for n := 0; ; n++ {
			_, kind, _, err := r.ReadFieldBegin(ctx)
			if err != nil || kind == thrift.STOP {
				t.Fatalf("%d fields are too many: %v", n, err)
			}
			if n == 32 {
				return
			}
			r.Skip(ctx, kind)
		}
	default:
		t.Fatalf("Thrift reads %d bytes, and we do not: %v", length, err)
	}
}

// A patched message is the original but for the patched fields, and byte for
// byte the rest.
func FuzzPatch(f *testing.F) {
	for i, m := range samples(f) {
		f.Add(m, uint8(i), uint8(i+1), token, int64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, first, second uint8, data []byte, timestamp int64) {
		m, err := message.NewReader(bytes.NewReader(in), mib).Read()
		if err != nil || len(m.Fields) == 0 {
			return
		}
		i, j := int(first)%len(m.Fields), int(second)%len(m.Fields)
		patches := map[int][]byte{i: other(m.Fields[i], data, timestamp), j: other(m.Fields[j], data, timestamp)}
		var ordered []message.Patch
		for k := range m.Fields {
			if with, ok := patches[k]; ok && with != nil {
				ordered = append(ordered, message.Patch{Field: &m.Fields[k], With: with})
			}
		}
		before := bytes.Clone(m.Bytes)
		var patched bytes.Buffer
		buffers := m.Patched(nil, ordered...)
		if _, err := (*net.Buffers)(&buffers).WriteTo(&patched); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Bytes, before) {
			t.Fatal("the original has changed")
		}
		r := message.NewReader(bytes.NewReader(patched.Bytes()), patched.Len())
		again, err := r.Read()
		if err != nil || len(again.Bytes) != patched.Len() || len(again.Fields) != len(m.Fields) {
			t.Fatalf("patched, it is %+v: %v", again, err)
		}
		end, endAgain := 0, 0 // of what was compared
		for k := range m.Fields {
			was, is := &m.Fields[k], &again.Fields[k]
			if !bytes.Equal(m.Bytes[end:was.Value], again.Bytes[endAgain:is.Value]) {
				t.Fatalf("what is before field %d has changed", k)
			}
			want := m.Value(was)
			if patches[k] != nil {
				want = patches[k]
			}
			if !bytes.Equal(again.Value(is), want) {
				t.Fatalf("field %d is %x, not %x", k, again.Value(is), want)
			}
			end, endAgain = was.End, is.End
		}
		if !bytes.Equal(m.Bytes[end:], again.Bytes[endAgain:]) {
			t.Fatal("what is after the fields has changed")
		}
		if err := r.Wait(); err != io.EOF {
			t.Fatal(err)
		}
	})
}

// other returns another value of a field's type, nil where it has none to give.
// A token's structure is taken for what was put there.
func other(f message.Field, data []byte, timestamp int64) []byte {
	switch {
	case f.Type == thrift.STRUCT && timestamp%2 == 0:
		return message.AppendAccessToken(nil, data)
	case f.Type == thrift.STRUCT:
		return message.AppendTransactionToken(nil, data, timestamp)
	case f.Type == thrift.STRING:
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
	}
	return nil
}

// What is taken for a token's structure is what the drivers' form of it makes.
func FuzzToken(f *testing.F) {
	f.Add(message.AppendAccessToken(nil, token))
	f.Add(message.AppendTransactionToken(nil, token, 7))
	f.Fuzz(func(t *testing.T, in []byte) {
		if data, err := message.AccessToken(in); err == nil && !bytes.Equal(message.AppendAccessToken(nil, data), in) {
			t.Errorf("%x was taken for a token of %x", in, data)
		}
		if data, timestamp, err := message.TransactionToken(in); err == nil && !bytes.Equal(message.AppendTransactionToken(nil, data, timestamp), in) {
			t.Errorf("%x was taken for a token of %x, %d", in, data, timestamp)
		}
	})
}
