package driver

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// Call is what a method is called with.
type Call struct {
	Token       []byte       // nil: none is sent
	Transaction *Transaction // nil: none is sent
	Environment *string      // nil: none is sent, as no driver does

	// Args are the other arguments. Those that are not among them go out as some
	// value of their type.
	Args []Arg

	Descending bool // the arguments go out in the order of falling ids, as no driver does
}

// Arg is an argument by its id. A nil value is not sent, and an int is taken for
// an integer of the argument's type.
type Arg struct {
	ID    int16
	Value any
}

// Transaction is what stage returns.
type Transaction struct {
	Token     []byte
	Timestamp int64
}

func (t Transaction) value() Struct {
	return Struct{1: accessToken(t.Token), 2: t.Timestamp}
}

func accessToken(data []byte) Struct { return Struct{1: data} }

// Exception is an exception that a method declares.
type Exception struct {
	Field   int16  // its id in the result
	Name    string // of its type
	Message string
	Empty   bool // it has no fields, as a TransactionException has none
}

func (e *Exception) Error() string { return e.Name + ": " + e.Message }

// Call calls a method, named as the table has it: "set" or "core:set",
// "calculate:sumKey". It returns the method's value in the forms that the values
// of this package have, nil if it returns nothing. Its errors are an *Exception,
// a thrift.TApplicationException, or say how the connection or the reply failed.
func (d *Driver) Call(method string, c Call) (any, error) {
	if d.o.Style != Bare {
		d.seqID++
	}
	request, err := d.o.Request(method, d.seqID, c)
	if err != nil {
		return nil, err
	}
	if err := d.Send(request); err != nil {
		return nil, err
	}
	reply, err := d.Receive()
	if err != nil {
		return nil, err
	}
	_, _, bare := d.o.find(method)
	switch {
	case reply.Name != bare:
		return nil, fmt.Errorf("the reply to %s is named %q", bare, reply.Name)
	case reply.SeqID != d.seqID:
		return nil, fmt.Errorf("the reply to call %d of %s is to %d", d.seqID, bare, reply.SeqID)
	}
	return d.o.result(method, reply)
}

// find returns the method, nil if there is none, its name for the wire and its
// bare one.
func (o Options) find(name string) (m *methods.Method, wire, bare string) {
	if o.Management {
		return methods.OfManagement(name), name, name
	}
	m, _ = methods.Lookup(name)
	_, bare, multiplexed := strings.Cut(name, ":")
	if !multiplexed {
		bare, name = name, "core:"+name
	}
	if o.Style == Bare {
		return m, bare, bare
	}
	return m, name, bare
}

// Request returns the message that calls a method. A method that is none gets
// the arguments that the call names, and no others.
func (o Options) Request(method string, seqID int32, c Call) ([]byte, error) {
	m, wire, _ := o.find(method)
	fields, err := arguments(m, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	ids := fields.ids()
	if c.Descending {
		slices.Reverse(ids)
	}
	strict := !o.Unversioned
	ctx, buffer := context.Background(), thrift.NewTMemoryBuffer()
	p := thrift.NewTBinaryProtocolConf(buffer, &thrift.TConfiguration{TBinaryStrictWrite: &strict})
	if err := p.WriteMessageBegin(ctx, wire, thrift.CALL, seqID); err != nil {
		return nil, err
	}
	if err := writeFields(ctx, p, fields, ids); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	return bytes.Clone(buffer.Bytes()), nil
}

func arguments(m *methods.Method, c Call) (Struct, error) {
	fields := Struct{}
	if m != nil {
		for _, a := range m.Arguments {
			switch a.ID {
			case m.Token:
				if c.Token != nil {
					fields[a.ID] = accessToken(c.Token)
				}
			case m.Transaction:
				if c.Transaction != nil {
					fields[a.ID] = c.Transaction.value()
				}
			case m.Environment:
				if c.Environment != nil {
					fields[a.ID] = *c.Environment
				}
			default:
				fields[a.ID] = example(a.Type)
			}
		}
	}
	for _, a := range c.Args {
		if a.Value == nil {
			delete(fields, a.ID)
			continue
		}
		fields[a.ID] = a.Value
		if m == nil {
			continue
		}
		i := slices.IndexFunc(m.Arguments, func(of methods.Argument) bool { return of.ID == a.ID })
		if i < 0 {
			return nil, fmt.Errorf("it has no argument %d", a.ID)
		}
		of := m.Arguments[i]
		fields[a.ID] = fit(a.Value, of.Type)
		if got := kindOf(fields[a.ID]); got != kindNamed(of.Type) {
			return nil, fmt.Errorf("argument %d, %s, is %s and not %T", a.ID, of.Name, of.Type, a.Value)
		}
	}
	return fields, nil
}

// result reads a reply as a driver of that style does: what its interface does
// not have, it passes over.
func (o Options) result(method string, r Reply) (any, error) {
	switch r.Kind {
	case thrift.REPLY:
	case thrift.EXCEPTION:
		message, _ := r.Fields[1].(string)
		kind, _ := r.Fields[2].(int32)
		return nil, thrift.NewTApplicationException(kind, message)
	default:
		return nil, fmt.Errorf("the answer to %s is no reply but of kind %d", method, r.Kind)
	}
	m, _, bare := o.find(method)
	if m == nil {
		return nil, fmt.Errorf("%s is no method, and got a reply: %v", method, r.Fields)
	}
	if value, there := r.Fields[0]; there && kindOf(value) == kindNamed(m.Returns) {
		return value, nil
	}
	for _, e := range m.Exceptions {
		if o.Style == Bare && !o.Management && e.Name == "PermissionException" {
			continue
		}
		if fields, ok := r.Fields[e.ID].(Struct); ok {
			message, _ := fields[1].(string)
			return nil, &Exception{Field: e.ID, Name: e.Name, Message: message, Empty: len(fields) == 0}
		}
	}
	if m.Void {
		return nil, nil
	}
	return nil, thrift.NewTApplicationException(thrift.MISSING_RESULT, bare+" failed: unknown result")
}
