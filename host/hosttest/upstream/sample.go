package upstream

import (
	"strings"
	"sync"

	"github.com/apache/thrift/lib/go/thrift"
)

var samples sync.Map // of results, encoded, by their types

// sampleOf returns the result's field 0 with some value of a type, in the words of
// the table of methods: of a container, one with one element. A method that
// returns nothing has no such field.
func sampleOf(returns string) []byte {
	if known, ok := samples.Load(returns); ok {
		return known.([]byte)
	}
	b := thrift.NewTMemoryBuffer()
	if returns != "void" {
		to := thrift.NewTBinaryProtocolConf(b, nil)
		to.WriteFieldBegin(background, "", typeOf(returns), 0)
		writeSample(to, returns)
	}
	samples.Store(returns, b.Bytes())
	return b.Bytes()
}

// Sample returns some value of a type, encoded, and what the type is on the wire.
func Sample(name string) (thrift.TType, []byte) {
	b := thrift.NewTMemoryBuffer()
	writeSample(thrift.NewTBinaryProtocolConf(b, nil), name)
	return typeOf(name), b.Bytes()
}

func typeOf(name string) thrift.TType {
	switch outer, _, _ := strings.Cut(name, "<"); outer {
	case "bool":
		return thrift.BOOL
	case "i32", "Diff", "Operator":
		return thrift.I32
	case "i64":
		return thrift.I64
	case "string", "binary":
		return thrift.STRING
	case "map":
		return thrift.MAP
	case "set":
		return thrift.SET
	case "list":
		return thrift.LIST
	}
	return thrift.STRUCT
}

func writeSample(to *thrift.TBinaryProtocol, name string) {
	outer, inner, _ := strings.Cut(name, "<")
	inner = strings.TrimSuffix(inner, ">")
	switch outer {
	case "bool":
		to.WriteBool(background, true)
	case "i32", "Diff", "Operator":
		to.WriteI32(background, 1)
	case "i64":
		to.WriteI64(background, 17)
	case "string", "binary":
		to.WriteString(background, "sample")
	case "set":
		to.WriteSetBegin(background, typeOf(inner), 1)
		writeSample(to, inner)
	case "list":
		to.WriteListBegin(background, typeOf(inner), 1)
		writeSample(to, inner)
	case "map":
		key, value, _ := strings.Cut(inner, ",") // no key is a container
		to.WriteMapBegin(background, typeOf(key), typeOf(value), 1)
		writeSample(to, key)
		writeSample(to, value)
	default: // a TObject, or a ComplexTObject of one
		if outer == "ComplexTObject" {
			to.WriteFieldBegin(background, "", thrift.I32, 1)
			to.WriteI32(background, 5)
			to.WriteFieldBegin(background, "", thrift.STRUCT, 6)
			writeSample(to, "TObject")
			to.WriteFieldStop(background)
			return
		}
		to.WriteFieldBegin(background, "", thrift.STRING, 1)
		to.WriteBinary(background, []byte("sample"))
		to.WriteFieldBegin(background, "", thrift.I32, 2)
		to.WriteI32(background, 7) // STRING
		to.WriteFieldStop(background)
	}
}
