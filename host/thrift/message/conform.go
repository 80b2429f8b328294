package message

import (
	"encoding/binary"
	"errors"

	"github.com/apache/thrift/lib/go/thrift"
)

// Type is what a value is by a service's interface.
type Type struct {
	Kind    thrift.TType
	Most    int32   // of an enumeration: its values are 1 to Most, and it must be one of them; 0: any number
	Element *Type   // of a list or a set
	Fields  []Under // of a struct: those that are known
}

// Under is a field of a struct.
type Under struct {
	ID       int16
	Type     *Type
	Required bool
}

// ErrShape says that a value is not built as its type says.
var ErrShape = errors.New("a value is not built as the interface says")

// Conforms refuses with ErrShape a value that a generated server could give up in
// the middle, or read as longer or shorter than this reader did: it would take the
// rest of the message for another message, which nobody has checked. Such servers
// read elements as the interface has them, whatever type the message announces,
// and give up on a struct that lacks a required field, but stay on the connection.
func (m *Message) Conforms(f *Field, t *Type) error {
	if f.Type != byte(t.Kind) {
		return ErrType
	}
	_, ok := t.read(m.Value(f))
	if !ok {
		return ErrShape
	}
	return nil
}

// Plain refuses with ErrShape a field that the interface does not have, and that
// older servers could not step over.
func (m *Message) Plain(f *Field) error {
	if _, ok := stepOver(f.Type, m.Value(f)); !ok {
		return ErrShape
	}
	return nil
}

// read reads a value that a Reader has found whole, and returns what follows it.
func (t *Type) read(b []byte) (rest []byte, ok bool) {
	switch t.Kind {
	case thrift.I32:
		n := int32(binary.BigEndian.Uint32(b))
		return b[4:], t.Most == 0 || n >= 1 && n <= t.Most
	case thrift.LIST, thrift.SET:
		return t.readElements(b)
	case thrift.STRUCT:
		return t.readStruct(b)
	}
	return stepOver(byte(t.Kind), b)
}

func (t *Type) readElements(b []byte) (rest []byte, ok bool) {
	kind, n := b[0], binary.BigEndian.Uint32(b[1:])
	b = b[5:]
	if n == 0 {
		return b, true
	}
	if kind != byte(t.Element.Kind) {
		return nil, false
	}
	if each := size(kind); each > 0 && t.Element.Most == 0 {
		return b[int(n)*each:], true
	}
	for range n {
		if b, ok = t.Element.read(b); !ok {
			return nil, false
		}
	}
	return b, true
}

func (t *Type) readStruct(b []byte) (rest []byte, ok bool) {
	var seen uint64 // by places in Fields
	for b[0] != thrift.STOP {
		kind, id := b[0], int16(binary.BigEndian.Uint16(b[1:]))
		b = b[3:]
		known := -1
		for i := range t.Fields {
			if u := &t.Fields[i]; u.ID == id && byte(u.Type.Kind) == kind {
				known = i
			}
		}
		if known >= 0 {
			seen |= 1 << known
			b, ok = t.Fields[known].Type.read(b)
		} else {
			b, ok = stepOver(kind, b)
		}
		if !ok {
			return nil, false
		}
	}
	for i := range t.Fields {
		if t.Fields[i].Required && seen&(1<<i) == 0 {
			return nil, false
		}
	}
	return b[1:], true
}

// stepOver returns what follows a value of whatever type. A UUID is none that
// every server can step over.
func stepOver(kind byte, b []byte) (rest []byte, ok bool) {
	switch kind {
	case thrift.UUID:
		return nil, false
	case thrift.STRING:
		return b[4+binary.BigEndian.Uint32(b):], true
	case thrift.STRUCT:
		for b[0] != thrift.STOP {
			if b, ok = stepOver(b[0], b[3:]); !ok {
				return nil, false
			}
		}
		return b[1:], true
	case thrift.LIST, thrift.SET:
		return stepOverAll(binary.BigEndian.Uint32(b[1:]), b[5:], b[0])
	case thrift.MAP:
		return stepOverAll(binary.BigEndian.Uint32(b[2:]), b[6:], b[0], b[1])
	}
	return b[size(kind):], true
}

func stepOverAll(n uint32, b []byte, kinds ...byte) (rest []byte, ok bool) {
	for range n {
		for _, kind := range kinds {
			if b, ok = stepOver(kind, b); !ok {
				return nil, false
			}
		}
	}
	return b, true
}
