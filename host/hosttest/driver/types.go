package driver

import (
	"strings"

	"github.com/apache/thrift/lib/go/thrift"
)

// kindNamed returns the type on the wire of a type of the interface.
func kindNamed(name string) thrift.TType {
	switch outer, _, _ := strings.Cut(name, "<"); outer {
	case "void":
		return thrift.VOID
	case "bool":
		return thrift.BOOL
	case "i32", "Operator", "Diff":
		return thrift.I32
	case "i64":
		return thrift.I64
	case "string", "binary":
		return thrift.STRING
	case "list":
		return thrift.LIST
	case "set":
		return thrift.SET
	case "map":
		return thrift.MAP
	}
	return thrift.STRUCT
}

// fit makes ints, and those in a list or set, integers of the type.
func fit(value any, name string) any {
	switch v := value.(type) {
	case int:
		switch kindNamed(name) {
		case thrift.I32:
			return int32(v)
		case thrift.I64:
			return int64(v)
		}
	case List:
		return List(fitAll(v, name))
	case Set:
		return Set(fitAll(v, name))
	}
	return value
}

func fitAll(elements []any, name string) []any {
	fitting := make([]any, len(elements))
	for i, e := range elements {
		fitting[i] = fit(e, element(name))
	}
	return fitting
}

// element returns the type within "list<…>" or "set<…>".
func element(name string) string {
	_, inner, _ := strings.Cut(name, "<")
	return strings.TrimSuffix(inner, ">")
}

// example returns some value of a type that an argument has.
func example(name string) any {
	switch name {
	case "bool":
		return true
	case "Operator":
		return int32(3) // EQUALS
	case "i32":
		return int32(1)
	case "i64":
		return int64(1)
	case "string", "binary":
		return "name"
	case "TObject":
		return Struct{1: "jeff", 2: int32(7)} // a STRING
	case "TCriteria":
		return Struct{1: List{Struct{1: int32(1), 2: "name"}, Struct{1: int32(2), 2: "="}, Struct{1: int32(3), 2: "jeff"}}}
	case "TOrder":
		return Struct{1: List{Struct{1: "name", 3: int32(1)}}}
	case "TPage":
		return Struct{1: int32(0), 2: int32(10)}
	case "ComplexTObject":
		return Struct{1: int32(5), 6: example("TObject")} // a TOBJECT
	}
	switch kindNamed(name) {
	case thrift.LIST:
		return List{example(element(name))}
	case thrift.SET:
		return Set{example(element(name))}
	}
	return Struct{}
}
