package message_test

import (
	"bytes"
	"net"
	"slices"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

func read(t testing.TB, whole []byte) *message.Message {
	t.Helper()
	m, err := message.NewReader(bytes.NewReader(whole), len(whole)).Read()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestField(t *testing.T) {
	w := newWriter(true)
	w.WriteMessageBegin(ctx, "m", thrift.CALL, 1)
	for _, f := range []struct {
		id int16
		of thrift.TType
	}{{3, thrift.BOOL}, {-1, thrift.BYTE}, {2, thrift.BOOL}, {2, thrift.BOOL}, {4, thrift.BYTE}, {4, thrift.BOOL}} {
		w.WriteFieldBegin(ctx, "", f.of, f.id)
		w.WriteByte(ctx, int8(f.id))
	}
	w.WriteFieldStop(ctx)
	m := read(t, w.buffer.Bytes())
	for _, c := range []struct {
		name string
		id   int16
		of   thrift.TType
		want []byte
		err  error
	}{
		{name: "There", id: 3, of: thrift.BOOL, want: []byte{3}},
		{name: "Negative", id: -1, of: thrift.BYTE, want: []byte{0xff}},
		{name: "Absent", id: 1, of: thrift.BOOL},
		{name: "ErrType", id: 3, of: thrift.BYTE, err: message.ErrType},
		{name: "ErrTwice", id: 2, of: thrift.BOOL, err: message.ErrTwice},
		{name: "ErrTwice/OtherTypes", id: 4, of: thrift.BYTE, err: message.ErrTwice},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := m.Field(c.id, c.of)
			if err != c.err || (f != nil) != (c.want != nil) {
				t.Fatalf("%v, %v, want %v", f, err, c.err)
			}
			if f != nil && !bytes.Equal(m.Value(f), c.want) {
				t.Errorf("%v, want %v", m.Value(f), c.want)
			}
		})
	}
}

func TestPatched(t *testing.T) {
	other := []byte("another token, of another length")[:20]
	tx := &driver.Transaction{Token: token, Timestamp: 7}
	o, c := driver.Options{}, driver.Call{Token: token, Transaction: tx, Environment: &environment}
	request := func(c driver.Call) []byte {
		b, err := o.Request("setKeyValueRecord", 5, c)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	m := read(t, request(c))
	creds, err := m.Field(4, thrift.STRUCT)
	if err != nil {
		t.Fatal(err)
	}
	transaction, err := m.Field(5, thrift.STRUCT)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for _, part := range m.Patched(net.Buffers{[]byte("before")}, message.Patch{Field: creds, With: message.AppendAccessToken(nil, other)},
		message.Patch{Field: transaction, With: message.AppendTransactionToken(nil, other, 8)}) {
		got = append(got, part...)
	}
	c.Token, c.Transaction = other, &driver.Transaction{Token: other, Timestamp: 8}
	if d := cmp.Diff(slices.Concat([]byte("before"), request(c)), got); d != "" {
		t.Error(d)
	}
	if got := m.Patched(nil); len(got) != 1 || !bytes.Equal(got[0], m.Bytes) {
		t.Errorf("without patches: %v", got)
	}
}

func TestAccessToken(t *testing.T) {
	form := message.AppendAccessToken(nil, token)
	if data, err := message.AccessToken(form); err != nil || !bytes.Equal(data, token) {
		t.Errorf("%q, %v", data, err)
	}
	if data, err := message.AccessToken(message.AppendAccessToken(nil, nil)); err != nil || len(data) != 0 {
		t.Errorf("an empty token: %q, %v", data, err)
	}
	for name, other := range map[string][]byte{
		"Nothing":    nil,
		"Stop":       {thrift.STOP},
		"Type":       with(form, 0, thrift.LIST),
		"ID":         with(form, 2, 2),
		"HighID":     with(form, 1, 1),
		"Longer":     with(form, 6, 33),
		"Huge":       with(form, 3, 0xff),
		"Shorter":    with(form, 6, 31),
		"MoreFields": append(bytes.Clone(form[:len(form)-1]), thrift.BOOL, 0, 2, 1, thrift.STOP),
		"Rest":       append(bytes.Clone(form), 0),
		"Truncated":  form[:len(form)-1],
	} {
		if data, err := message.AccessToken(other); err == nil {
			t.Errorf("%s: taken for %q", name, data)
		}
	}
}

func TestTransactionToken(t *testing.T) {
	form := message.AppendTransactionToken(nil, token, -7)
	if data, timestamp, err := message.TransactionToken(form); err != nil || !bytes.Equal(data, token) || timestamp != -7 {
		t.Errorf("%q, %d, %v", data, timestamp, err)
	}
	end := len(form)
	for name, other := range map[string][]byte{
		"Nothing":     nil,
		"Stop":        {thrift.STOP},
		"AccessToken": message.AppendAccessToken(nil, token),
		"NoToken":     {thrift.STRUCT, 0, 1, thrift.STOP, thrift.I64, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, thrift.STOP},
		"Type":        with(form, 0, thrift.STRING),
		"ID":          with(form, 2, 2),
		"TimeType":    with(form, end-12, thrift.DOUBLE),
		"TimeID":      with(form, end-10, 3),
		"NoEnd":       with(form, end-1, thrift.BOOL),
		"Rest":        append(bytes.Clone(form), 0),
		"Truncated":   form[:end-1],
		"NoMore":      form[:3],
	} {
		if data, _, err := message.TransactionToken(other); err == nil {
			t.Errorf("%s: taken for %q", name, data)
		}
	}
}

// with returns p with another byte at i.
func with(p []byte, i int, b byte) []byte {
	p = bytes.Clone(p)
	p[i] = b
	return p
}
