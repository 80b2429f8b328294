package driver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/thrift/lib/go/thrift"
)

// Values are bool, int8, int16, int32 (and so every enum), int64, float64, string
// (and so binary; to be sent, []byte too), thrift.Tuuid, and the following.
type (
	// Struct holds fields by their ids.
	Struct map[int16]any

	// List is a list. An empty one goes out as one of strings.
	List []any

	// Set is a set, in the order of the wire.
	Set []any

	// Map is a map, in the order of the wire: its keys may be structs. An empty one
	// goes out as one from strings to strings.
	Map []Entry
)

// Entry is an entry of a Map.
type Entry struct{ Key, Value any }

const mostDepth = 64 // of a reply

func (s Struct) ids() []int16 { return slices.Sorted(maps.Keys(s)) }

// kindOf returns a value's type, STOP if it is of none.
func kindOf(value any) thrift.TType {
	switch value.(type) {
	case bool:
		return thrift.BOOL
	case int8:
		return thrift.BYTE
	case int16:
		return thrift.I16
	case int32:
		return thrift.I32
	case int64:
		return thrift.I64
	case float64:
		return thrift.DOUBLE
	case string, []byte:
		return thrift.STRING
	case thrift.Tuuid:
		return thrift.UUID
	case Struct:
		return thrift.STRUCT
	case List:
		return thrift.LIST
	case Set:
		return thrift.SET
	case Map:
		return thrift.MAP
	}
	return thrift.STOP
}

func write(ctx context.Context, p thrift.TProtocol, value any) error {
	switch v := value.(type) {
	case bool:
		return p.WriteBool(ctx, v)
	case int8:
		return p.WriteByte(ctx, v)
	case int16:
		return p.WriteI16(ctx, v)
	case int32:
		return p.WriteI32(ctx, v)
	case int64:
		return p.WriteI64(ctx, v)
	case float64:
		return p.WriteDouble(ctx, v)
	case string:
		return p.WriteString(ctx, v)
	case []byte:
		return p.WriteBinary(ctx, v)
	case thrift.Tuuid:
		return p.WriteUUID(ctx, v)
	case Struct:
		return writeFields(ctx, p, v, v.ids())
	case List:
		return writeElements(ctx, p, p.WriteListBegin, v)
	case Set:
		return writeElements(ctx, p, p.WriteSetBegin, v)
	case Map:
		return writeMap(ctx, p, v)
	}
	return fmt.Errorf("a %T is no value of Thrift's", value)
}

func writeFields(ctx context.Context, p thrift.TProtocol, s Struct, ids []int16) error {
	for _, id := range ids {
		if err := p.WriteFieldBegin(ctx, "", kindOf(s[id]), id); err != nil {
			return err
		}
		if err := write(ctx, p, s[id]); err != nil {
			return err
		}
	}
	return p.WriteFieldStop(ctx)
}

func writeElements(ctx context.Context, p thrift.TProtocol, begin func(context.Context, thrift.TType, int) error, elements []any) error {
	of := thrift.TType(thrift.STRING)
	if len(elements) > 0 {
		of = kindOf(elements[0])
	}
	if err := begin(ctx, of, len(elements)); err != nil {
		return err
	}
	for _, e := range elements {
		if kindOf(e) != of {
			return fmt.Errorf("a %T among elements of type %v", e, of)
		}
		if err := write(ctx, p, e); err != nil {
			return err
		}
	}
	return nil
}

func writeMap(ctx context.Context, p thrift.TProtocol, m Map) error {
	key, value := thrift.TType(thrift.STRING), thrift.TType(thrift.STRING)
	if len(m) > 0 {
		key, value = kindOf(m[0].Key), kindOf(m[0].Value)
	}
	if err := p.WriteMapBegin(ctx, key, value, len(m)); err != nil {
		return err
	}
	for _, e := range m {
		if kindOf(e.Key) != key || kindOf(e.Value) != value {
			return fmt.Errorf("an entry of %T and %T in a map from %v to %v", e.Key, e.Value, key, value)
		}
		if err := write(ctx, p, e.Key); err != nil {
			return err
		}
		if err := write(ctx, p, e.Value); err != nil {
			return err
		}
	}
	return nil
}

func read(ctx context.Context, p thrift.TProtocol, kind thrift.TType, depth int) (any, error) {
	if depth > mostDepth {
		return nil, errors.New("a value is nested too deep")
	}
	switch kind {
	case thrift.BOOL:
		return p.ReadBool(ctx)
	case thrift.BYTE:
		return p.ReadByte(ctx)
	case thrift.I16:
		return p.ReadI16(ctx)
	case thrift.I32:
		return p.ReadI32(ctx)
	case thrift.I64:
		return p.ReadI64(ctx)
	case thrift.DOUBLE:
		return p.ReadDouble(ctx)
	case thrift.STRING:
		return p.ReadString(ctx)
	case thrift.UUID:
		return p.ReadUUID(ctx)
	case thrift.STRUCT:
		return readStruct(ctx, p, depth)
	case thrift.LIST:
		of, n, err := p.ReadListBegin(ctx)
		if err != nil {
			return nil, err
		}
		elements, err := readElements(ctx, p, of, n, depth)
		return List(elements), err
	case thrift.SET:
		of, n, err := p.ReadSetBegin(ctx)
		if err != nil {
			return nil, err
		}
		elements, err := readElements(ctx, p, of, n, depth)
		return Set(elements), err
	case thrift.MAP:
		return readMap(ctx, p, depth)
	}
	return nil, fmt.Errorf("no type has the number %d", kind)
}

func readStruct(ctx context.Context, p thrift.TProtocol, depth int) (Struct, error) {
	s := Struct{}
	for {
		_, kind, id, err := p.ReadFieldBegin(ctx)
		if err != nil || kind == thrift.STOP {
			return s, err
		}
		if _, there := s[id]; there {
			return s, fmt.Errorf("field %d is there twice", id)
		}
		if s[id], err = read(ctx, p, kind, depth+1); err != nil {
			return s, err
		}
	}
}

func readElements(ctx context.Context, p thrift.TProtocol, of thrift.TType, n, depth int) ([]any, error) {
	elements := make([]any, 0, thrift.PreallocSize(n))
	for range n {
		e, err := read(ctx, p, of, depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, e)
	}
	return elements, nil
}

func readMap(ctx context.Context, p thrift.TProtocol, depth int) (Map, error) {
	key, value, n, err := p.ReadMapBegin(ctx)
	if err != nil {
		return nil, err
	}
	m := make(Map, 0, thrift.PreallocSize(n))
	for range n {
		var e Entry
		if e.Key, err = read(ctx, p, key, depth+1); err != nil {
			return nil, err
		}
		if e.Value, err = read(ctx, p, value, depth+1); err != nil {
			return nil, err
		}
		m = append(m, e)
	}
	return m, nil
}
