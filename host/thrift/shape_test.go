package thrift_test

import (
	"context"
	"testing"

	apache "github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// A message that a generated server would give up in the middle of, or read as
// longer or shorter, and take the rest of for a call that nobody has checked,
// never reaches the upstream.
func TestRelay_Smuggled(t *testing.T) {
	p, server := openBefore(t)
	d, token := p.login(t, driver.Bare, "ann")
	next := func() {
		t.Helper()
		if _, err := d.Call("ping", driver.Call{Token: token, Environment: in("r")}); err != nil {
			t.Fatal(err)
		}
	}
	next()
	ctx := context.Background()
	for outcome, c := range map[string]struct {
		method string
		of     apache.TType // the argument's elements, as the message announces them
		id     int16        // of the argument, and of token and environment
		token  int16
		in     int16
		write  func(w apache.TProtocol)
	}{
		"ObjectWithoutData": {"findKeyOperatorValues", apache.STRUCT, 3, 4, 6, func(w apache.TProtocol) {
			w.WriteFieldBegin(ctx, "", apache.I32, 2)
			w.WriteI32(ctx, 9)
			w.WriteFieldStop(ctx)
		}},
		"TextsForNumbers": {"clearRecords", apache.STRING, 1, 2, 4, func(w apache.TProtocol) {
			w.WriteBinary(ctx, []byte("\x00\x00\x00\x00\x80\x01\x00\x01\x00\x00\x00\x0creviewRecord\x00\x00\x00\x07\x00"))
		}},
	} {
		t.Run(outcome, func(t *testing.T) {
			server.Forget()
			b := apache.NewTMemoryBuffer()
			w := apache.NewTBinaryProtocolConf(b, nil)
			w.WriteMessageBegin(ctx, c.method, apache.CALL, 0)
			w.WriteFieldBegin(ctx, "", apache.LIST, c.id)
			w.WriteListBegin(ctx, c.of, 1)
			c.write(w)
			w.WriteFieldBegin(ctx, "", apache.STRUCT, c.token)
			w.WriteFieldBegin(ctx, "", apache.STRING, 1)
			w.WriteBinary(ctx, token)
			w.WriteFieldStop(ctx)
			w.WriteFieldBegin(ctx, "", apache.STRING, c.in)
			w.WriteString(ctx, "w")
			w.WriteFieldStop(ctx)
			if err := d.Send(b.Bytes()); err != nil {
				t.Fatal(err)
			}
			reply, err := d.Receive()
			if err != nil || reply.Kind != apache.EXCEPTION || reply.Fields[2] != int32(apache.PROTOCOL_ERROR) {
				t.Errorf("the message was answered by %+v, %v", reply, err)
			}
			for _, c := range server.Calls() {
				t.Errorf("the upstream got %s", c.Name)
			}
			next()
		})
	}
}
