package methods

import (
	"fmt"
	"strings"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// Check refuses arguments that are not built as the method's signature says:
// with message.ErrType one of another type, with message.ErrShape one that a data
// server could read differently. Arguments that it does not know, as drivers of
// other releases may send, a server steps over; a method without any takes none.
func (m *Method) Check(call *message.Message) error {
	if len(m.shapes) == 0 && len(call.Fields) > 0 {
		return message.ErrShape
	}
	for i := range call.Fields {
		f := &call.Fields[i]
		var err error
		if t := m.shapes[f.ID]; t != nil {
			err = call.Conforms(f, t)
		} else {
			err = call.Plain(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func shapes(all []Argument) (map[int16]*message.Type, error) {
	byID := make(map[int16]*message.Type, len(all))
	for _, a := range all {
		t, err := shape(a.Type)
		if err != nil {
			return nil, err
		}
		byID[a.ID] = t
	}
	return byID, nil
}

// shape returns what a type of the interface is.
func shape(name string) (*message.Type, error) {
	if t := named[name]; t != nil {
		return t, nil
	}
	outer, inner, _ := strings.Cut(strings.TrimSuffix(name, ">"), "<")
	kind := map[string]thrift.TType{"list": thrift.LIST, "set": thrift.SET}[outer]
	element, known := named[inner]
	if kind == 0 || !known {
		return nil, fmt.Errorf("type %q", name)
	}
	return &message.Type{Kind: kind, Element: element}, nil
}

// The types of arguments, as the interface has them.
var (
	boolean  = &message.Type{Kind: thrift.BOOL}
	number32 = &message.Type{Kind: thrift.I32}
	number64 = &message.Type{Kind: thrift.I64}
	text     = &message.Type{Kind: thrift.STRING}

	accessToken = structure(required(1, text))
	tobject     = structure(required(1, text), required(2, enumeration(11)))
	tsymbol     = structure(required(1, enumeration(6)), required(2, text))
	order       = structure(required(1, text), optional(2, tobject), required(3, number32))
	anything    = structure() // read here and never passed on
)

var named = map[string]*message.Type{
	"bool": boolean, "i64": number64, "string": text, "binary": text, "Operator": number32,
	"AccessToken":      accessToken,
	"TransactionToken": structure(required(1, accessToken), required(2, number64)),
	"TObject":          tobject,
	"TCriteria":        structure(required(1, listOf(tsymbol))),
	"TOrder":           structure(required(1, listOf(order))),
	"TPage":            structure(required(1, number32), required(2, number32)),
	"ComplexTObject":   anything,
}

func structure(fields ...message.Under) *message.Type {
	return &message.Type{Kind: thrift.STRUCT, Fields: fields}
}

func enumeration(most int32) *message.Type { return &message.Type{Kind: thrift.I32, Most: most} }

func listOf(t *message.Type) *message.Type { return &message.Type{Kind: thrift.LIST, Element: t} }

func required(id int16, t *message.Type) message.Under {
	return message.Under{ID: id, Type: t, Required: true}
}

func optional(id int16, t *message.Type) message.Under { return message.Under{ID: id, Type: t} }
