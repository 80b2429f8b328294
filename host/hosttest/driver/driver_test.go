package driver_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// serve answers each call with what answer makes of its header, and closes where
// that is nothing.
func serve(t *testing.T, answer func(name string, seqID int32) []byte) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := message.NewReader(c, 1<<20); ; {
					m, err := r.Read()
					if err != nil {
						return
					}
					reply := answer(string(m.Name), m.SeqID)
					if reply == nil {
						return
					}
					if _, err := c.Write(reply); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// reply is a message with one field, which write writes; none if that is nil.
func reply(name string, kind thrift.TMessageType, seqID int32, id int16, of thrift.TType, write func(context.Context, thrift.TProtocol)) []byte {
	ctx, b := context.Background(), thrift.NewTMemoryBuffer()
	p := thrift.NewTBinaryProtocolConf(b, nil)
	p.WriteMessageBegin(ctx, name, kind, seqID)
	if write != nil {
		p.WriteFieldBegin(ctx, "", of, id)
		write(ctx, p)
	}
	p.WriteFieldStop(ctx)
	return b.Bytes()
}

func text(s string) func(context.Context, thrift.TProtocol) {
	return func(ctx context.Context, p thrift.TProtocol) {
		p.WriteFieldBegin(ctx, "", thrift.STRING, 1)
		p.WriteString(ctx, s)
		p.WriteFieldStop(ctx)
	}
}

func bare(name string) string { return name[strings.Index(name, ":")+1:] }

func TestCall(t *testing.T) {
	permission := func(name string, seqID int32) []byte {
		m, _ := methods.Lookup(name)
		return reply(m.Name, thrift.REPLY, seqID, m.Permission, thrift.STRUCT, text("Insufficient Permission"))
	}
	security := func(name string, seqID int32) []byte {
		return reply(bare(name), thrift.REPLY, seqID, 1, thrift.STRUCT, text("Invalid access token"))
	}
	transaction := func(name string, seqID int32) []byte {
		return reply(bare(name), thrift.REPLY, seqID, 2, thrift.STRUCT, func(ctx context.Context, p thrift.TProtocol) { p.WriteFieldStop(ctx) })
	}
	application := func(name string, seqID int32) []byte {
		ctx, b := context.Background(), thrift.NewTMemoryBuffer()
		p := thrift.NewTBinaryProtocolConf(b, nil)
		p.WriteMessageBegin(ctx, bare(name), thrift.EXCEPTION, seqID)
		thrift.NewTApplicationException(thrift.INTERNAL_ERROR, "no").Write(ctx, p)
		return b.Bytes()
	}
	for _, c := range []struct {
		name      string
		style     driver.Style
		method    string
		answer    func(name string, seqID int32) []byte
		value     any
		exception *driver.Exception
		kind      int32 // of the TApplicationException
		text      string
	}{
		{name: "Exception", method: "clearRecord", answer: permission, exception: &driver.Exception{Field: 3, Name: "PermissionException", Message: "Insufficient Permission"}},
		{name: "Success/UnknownException", style: driver.Bare, method: "clearRecord", answer: permission},
		{name: "MissingResult/UnknownException", style: driver.Bare, method: "ping", answer: permission, kind: thrift.MISSING_RESULT, text: "ping failed: unknown result"},
		{name: "Exception/Bare", style: driver.Bare, method: "clearRecord", answer: security, exception: &driver.Exception{Field: 1, Name: "SecurityException", Message: "Invalid access token"}},
		{name: "Exception/Empty", style: driver.Bare, method: "clearRecord", answer: transaction, exception: &driver.Exception{Field: 2, Name: "TransactionException", Empty: true}},
		{name: "ApplicationException", style: driver.Bare, method: "clearRecord", answer: application, kind: thrift.INTERNAL_ERROR, text: "no"},
		{name: "Value", method: "getServerEnvironment", value: "default", answer: func(name string, seqID int32) []byte {
			return reply(bare(name), thrift.REPLY, seqID, 0, thrift.STRING, func(ctx context.Context, p thrift.TProtocol) { p.WriteString(ctx, "default") })
		}},
		{name: "MissingResult/OtherType", method: "getServerEnvironment", kind: thrift.MISSING_RESULT, text: "getServerEnvironment failed: unknown result", answer: func(name string, seqID int32) []byte {
			return reply(bare(name), thrift.REPLY, seqID, 0, thrift.BOOL, func(ctx context.Context, p thrift.TProtocol) { p.WriteBool(ctx, true) })
		}},
		{name: "OtherName", method: "clearRecord", text: `the reply to clearRecord is named "core:clearRecord"`, answer: func(name string, seqID int32) []byte {
			return reply(name, thrift.REPLY, seqID, 0, 0, nil)
		}},
		{name: "OtherSeqID", method: "clearRecord", text: "the reply to call 1 of clearRecord is to 2", answer: func(name string, seqID int32) []byte {
			return reply(bare(name), thrift.REPLY, seqID+1, 0, 0, nil)
		}},
		{name: "NoReply", method: "clearRecord", text: "EOF", answer: func(string, int32) []byte { return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := driver.Dial(t, serve(t, c.answer), driver.Options{Style: c.style})
			value, err := d.Call(c.method, driver.Call{})
			if diff := cmp.Diff(c.value, value); diff != "" {
				t.Errorf("value: %s", diff)
			}
			var declared *driver.Exception
			errors.As(err, &declared)
			if diff := cmp.Diff(c.exception, declared); diff != "" {
				t.Errorf("exception: %s", diff)
			}
			var undeclared thrift.TApplicationException
			if errors.As(err, &undeclared) != (c.kind != 0) || c.kind != 0 && undeclared.TypeId() != c.kind {
				t.Errorf("%v is not a TApplicationException of type %d", err, c.kind)
			}
			if c.exception == nil && (err == nil) != (c.text == "") || err != nil && !strings.HasSuffix(err.Error(), c.text) {
				t.Errorf("%v, want %q", err, c.text)
			}
		})
	}
}

func TestAwaitClosed(t *testing.T) {
	address := serve(t, func(name string, seqID int32) []byte {
		if name == "bye" {
			return nil
		}
		return []byte{7}
	})
	for method, closed := range map[string]bool{"bye": true, "hello": false} {
		d := driver.Dial(t, address, driver.Options{})
		request, err := driver.Options{Style: driver.Bare}.Request(method, 1, driver.Call{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Send(request); err != nil {
			t.Fatal(err)
		}
		if err := d.AwaitClosed(); (err == nil) != closed {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// Every method of the table can be called, with its arguments at their ids.
func TestRequest(t *testing.T) {
	environment, token := "e", bytes.Repeat([]byte{1}, 32)
	c := driver.Call{Token: token, Environment: &environment, Transaction: &driver.Transaction{Token: token, Timestamp: 7}}
	n := 0
	methods.Each(func(m *methods.Method) {
		n++
		request, err := driver.Options{}.Request(m.Service+":"+m.Name, 9, c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := message.NewReader(bytes.NewReader(request), len(request)).Read()
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		if string(got.Name) != m.Service+":"+m.Name || got.SeqID != 9 || got.Kind != thrift.CALL || len(got.Fields) != len(m.Arguments) {
			t.Errorf("%s: %+v", m.Name, got)
		}
		for i, a := range m.Arguments {
			if i < len(got.Fields) && got.Fields[i].ID != a.ID {
				t.Errorf("%s: argument %d is %d", m.Name, a.ID, got.Fields[i].ID)
			}
		}
		check := func(id int16, want []byte) {
			if id == 0 {
				return
			}
			f, err := got.Field(id, thrift.STRUCT)
			if err != nil || f == nil || !bytes.Equal(got.Value(f), want) {
				t.Errorf("%s: field %d is %v, %v", m.Name, id, f, err)
			}
		}
		check(m.Token, message.AppendAccessToken(nil, token))
		check(m.Transaction, message.AppendTransactionToken(nil, token, 7))
	})
	if n == 0 {
		t.Error("there are no methods")
	}
}

func TestRequest_Refusals(t *testing.T) {
	for want, arg := range map[string]driver.Arg{
		"clearRecord: argument 1, record, is i64 and not string": {ID: 1, Value: "one"},
		"clearRecord: it has no argument 9":                      {ID: 9, Value: "one"},
	} {
		if _, err := (driver.Options{}).Request("clearRecord", 1, driver.Call{Args: []driver.Arg{arg}}); err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := (driver.Options{}).Request("clearRecords", 1, driver.Call{Args: []driver.Arg{{ID: 1, Value: driver.List{1, "two"}}}}); err == nil {
		t.Error("a list of two types went out")
	}
}
