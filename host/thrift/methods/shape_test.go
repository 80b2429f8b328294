package methods_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// whole reads a message.
func whole(t *testing.T, b []byte) *message.Message {
	t.Helper()
	m, err := message.NewReader(bytes.NewReader(b), 1<<20).Read()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What drivers send of every method passes.
func TestCheck(t *testing.T) {
	token := bytes.Repeat([]byte{7}, 32)
	environment := "e"
	methods.Each(func(m *methods.Method) {
		name := m.Service + ":" + m.Name
		c := driver.Call{Token: token, Environment: &environment}
		if m.Transaction != 0 {
			c.Transaction = &driver.Transaction{Token: token, Timestamp: 5}
		}
		b, err := driver.Options{Style: driver.Multiplexed}.Request(name, 1, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(whole(t, b)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
}

// A generated server reads a list's elements as the interface has them, and gives
// up in the midst of a message upon a struct without what it must have.
func TestCheck_Refusals(t *testing.T) {
	const (
		data, kind = 1, 2 // fields of a TObject
		symbol     = 2    // of a TSymbol
	)
	ctx := context.Background()
	tobject := func(w thrift.TProtocol, of int32) {
		w.WriteFieldBegin(ctx, "", thrift.STRING, data)
		w.WriteBinary(ctx, []byte("v"))
		w.WriteFieldBegin(ctx, "", thrift.I32, kind)
		w.WriteI32(ctx, of)
		w.WriteFieldStop(ctx)
	}
	values := func(w thrift.TProtocol, of thrift.TType, n int) { // the third argument of findKeyOperatorValues
		w.WriteFieldBegin(ctx, "", thrift.LIST, 3)
		w.WriteListBegin(ctx, of, n)
	}
	criteria := func(w thrift.TProtocol) { // the first argument of findCriteria
		w.WriteFieldBegin(ctx, "", thrift.STRUCT, 1)
		w.WriteFieldBegin(ctx, "", thrift.LIST, 1)
		w.WriteListBegin(ctx, thrift.STRUCT, 1)
	}
	for outcome, c := range map[string]struct {
		method string
		write  func(w thrift.TProtocol)
		want   error
	}{
		"Values": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRUCT, 2)
			tobject(w, 1)
			tobject(w, 11)
		}, nil},
		"NoValues": {"findKeyOperatorValues", func(w thrift.TProtocol) { values(w, thrift.BYTE, 0) }, nil},
		"UnknownArgument": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			w.WriteFieldBegin(ctx, "", thrift.MAP, 99)
			w.WriteMapBegin(ctx, thrift.STRING, thrift.LIST, 1)
			w.WriteString(ctx, "k")
			w.WriteListBegin(ctx, thrift.I64, 1)
			w.WriteI64(ctx, 1)
		}, nil},
		"UnknownField": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRUCT, 1)
			w.WriteFieldBegin(ctx, "", thrift.STRUCT, 9)
			w.WriteFieldStop(ctx)
			tobject(w, 1)
		}, nil},
		"ErrShapeWithoutData": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRUCT, 1)
			w.WriteFieldBegin(ctx, "", thrift.I32, kind)
			w.WriteI32(ctx, 9)
			w.WriteFieldStop(ctx)
		}, message.ErrShape},
		"ErrShapeOtherData": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRUCT, 1)
			w.WriteFieldBegin(ctx, "", thrift.I64, data)
			w.WriteI64(ctx, 9)
			w.WriteFieldBegin(ctx, "", thrift.I32, kind)
			w.WriteI32(ctx, 9)
			w.WriteFieldStop(ctx)
		}, message.ErrShape},
		"ErrShapeNoSuchType": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRUCT, 1)
			tobject(w, 12)
		}, message.ErrShape},
		"ErrShapeSecond": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRUCT, 2)
			tobject(w, 1)
			tobject(w, 0)
		}, message.ErrShape},
		"ErrShapeOtherElements": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRING, 1)
			w.WriteString(ctx, "v")
		}, message.ErrShape},
		"ErrShapeShorterNumbers": {"clearRecords", func(w thrift.TProtocol) {
			w.WriteFieldBegin(ctx, "", thrift.LIST, 1)
			w.WriteListBegin(ctx, thrift.I32, 1)
			w.WriteI32(ctx, 1)
		}, message.ErrShape},
		"ErrShapeUUID": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			w.WriteFieldBegin(ctx, "", thrift.UUID, 99)
			w.WriteUUID(ctx, thrift.Tuuid{1})
		}, message.ErrShape},
		"ErrShapeNestedUUID": {"findKeyOperatorValues", func(w thrift.TProtocol) {
			values(w, thrift.STRUCT, 1)
			w.WriteFieldBegin(ctx, "", thrift.UUID, 99)
			w.WriteUUID(ctx, thrift.Tuuid{1})
			tobject(w, 1)
		}, message.ErrShape},
		"Criteria": {"findCriteria", func(w thrift.TProtocol) {
			criteria(w)
			w.WriteFieldBegin(ctx, "", thrift.I32, 1)
			w.WriteI32(ctx, 6)
			w.WriteFieldBegin(ctx, "", thrift.STRING, symbol)
			w.WriteString(ctx, "k")
			w.WriteFieldStop(ctx)
			w.WriteFieldStop(ctx)
		}, nil},
		"ErrShapeSymbol": {"findCriteria", func(w thrift.TProtocol) {
			criteria(w)
			w.WriteFieldBegin(ctx, "", thrift.I32, 1)
			w.WriteI32(ctx, 7)
			w.WriteFieldBegin(ctx, "", thrift.STRING, symbol)
			w.WriteString(ctx, "k")
			w.WriteFieldStop(ctx)
			w.WriteFieldStop(ctx)
		}, message.ErrShape},
		"ErrTypeArgument": {"findCriteria", func(w thrift.TProtocol) {
			w.WriteFieldBegin(ctx, "", thrift.STRING, 1)
			w.WriteString(ctx, "k")
		}, message.ErrType},
		"NoArguments": {"getServerVersion", func(thrift.TProtocol) {}, nil},
		"ErrShapeArgument": {"getServerVersion", func(w thrift.TProtocol) {
			w.WriteFieldBegin(ctx, "", thrift.BOOL, 1)
			w.WriteBool(ctx, true)
		}, message.ErrShape},
	} {
		t.Run(outcome, func(t *testing.T) {
			b := thrift.NewTMemoryBuffer()
			w := thrift.NewTBinaryProtocolConf(b, nil)
			w.WriteMessageBegin(ctx, c.method, thrift.CALL, 1)
			c.write(w)
			w.WriteFieldStop(ctx)
			m, _ := methods.Lookup(c.method)
			if err := m.Check(whole(t, b.Bytes())); !errors.Is(err, c.want) {
				t.Errorf("Check = %v, want %v", err, c.want)
			}
		})
	}
}

// Whatever a Reader takes, Check goes over without harm.
func FuzzCheck(f *testing.F) {
	token := bytes.Repeat([]byte{7}, 32)
	environment := "e"
	for _, name := range []string{"findKeyOperatorValues", "findCriteriaOrderPage", "getServerVersion", "reconcileKeyRecordValues", "clearRecords"} {
		m, _ := methods.Lookup(name)
		c := driver.Call{Token: token, Environment: &environment}
		if m.Token == 0 {
			c = driver.Call{}
		}
		b, err := driver.Options{Style: driver.Bare}.Request(name, 1, c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		call, err := message.NewReader(bytes.NewReader(b), 1<<16).Read()
		if err != nil {
			return
		}
		if m, _ := methods.Lookup(string(call.Name)); m != nil {
			m.Check(call)
			return
		}
		methods.Each(func(m *methods.Method) { m.Check(call) })
	})
}
