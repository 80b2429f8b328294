package thrift

import (
	"bytes"
	"context"
	"errors"

	"github.com/apache/thrift/lib/go/thrift"
)

// The bounds of what invokeManagement's parameters may be.
const (
	mostParameters     = 4        // of its methods none takes more
	mostParametersSize = 64 << 10 // bytes; a name, a password and an environment have 2 KiB
)

// What a ComplexTObject may be, as far as a parameter or a result is one, with
// the ids of its fields.
const (
	complexScalar  = 1 // a TObject, in field 2
	complexTObject = 5 // a TObject, in field 6
	complexBinary  = 7 // bytes, in field 8

	complexTypeField    = 1
	complexScalarField  = 2
	complexTObjectField = 6
	complexBinaryField  = 8
)

// Types of a TObject, and the ids of its fields.
const (
	tobjectString = 7
	tobjectTag    = 8
	tobjectNull   = 9

	tobjectDataField = 1
	tobjectTypeField = 2
)

var errParameters = errors.New("not a list of parameters")

// parameters reads a list of ComplexTObjects, each of which must hold text: as
// bytes, or as a string in a TObject. Nothing else can be a parameter of what
// clients may invoke.
func parameters(value []byte) ([][]byte, error) {
	if len(value) > mostParametersSize {
		return nil, errParameters
	}
	ctx := context.Background()
	p := thrift.NewTBinaryProtocolConf(&thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(value)}, &thrift.TConfiguration{
		MaxMessageSize: mostParametersSize, MaxContainerSize: mostParametersSize,
	})
	of, n, err := p.ReadListBegin(ctx)
	if err != nil || of != thrift.STRUCT && n > 0 || n > mostParameters {
		return nil, errParameters
	}
	all := make([][]byte, n)
	for i := range all {
		if all[i], err = readText(ctx, p); err != nil {
			return nil, errParameters
		}
	}
	return all, nil
}

// readText reads a ComplexTObject that holds text.
func readText(ctx context.Context, p thrift.TProtocol) ([]byte, error) {
	var kind int32
	texts := map[int16][]byte{} // by the field that held them
	err := readFields(ctx, p, func(id int16, of thrift.TType) (err error) {
		switch {
		case id == complexTypeField && of == thrift.I32:
			kind, err = p.ReadI32(ctx)
		case (id == complexScalarField || id == complexTObjectField) && of == thrift.STRUCT:
			texts[id], err = readString(ctx, p)
		case id == complexBinaryField && of == thrift.STRING:
			texts[id], err = p.ReadBinary(ctx)
		default:
			err = p.Skip(ctx, of)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	field := map[int32]int16{
		complexScalar: complexScalarField, complexTObject: complexTObjectField, complexBinary: complexBinaryField,
	}[kind]
	text := texts[field]
	if text == nil {
		return nil, errParameters
	}
	return text, nil
}

// readString reads a TObject, and returns nil if it is no string.
func readString(ctx context.Context, p thrift.TProtocol) (data []byte, err error) {
	kind := int32(tobjectString)
	err = readFields(ctx, p, func(id int16, of thrift.TType) (err error) {
		switch {
		case id == tobjectDataField && of == thrift.STRING:
			data, err = p.ReadBinary(ctx)
		case id == tobjectTypeField && of == thrift.I32:
			kind, err = p.ReadI32(ctx)
		default:
			err = p.Skip(ctx, of)
		}
		return err
	})
	if kind != tobjectString && kind != tobjectTag {
		data = nil
	}
	return data, err
}

// readFields has read read the value of every field of a struct.
func readFields(ctx context.Context, p thrift.TProtocol, read func(id int16, of thrift.TType) error) error {
	for {
		_, of, id, err := p.ReadFieldBegin(ctx)
		if err != nil || of == thrift.STOP {
			return err
		}
		if err := read(id, of); err != nil {
			return err
		}
	}
}

// writeNothing writes the ComplexTObject that stands for no result: a scalar
// whose TObject is the null one.
func writeNothing(ctx context.Context, p thrift.TProtocol) error {
	return errors.Join(
		p.WriteFieldBegin(ctx, "type", thrift.I32, complexTypeField), p.WriteI32(ctx, complexScalar),
		p.WriteFieldBegin(ctx, "tscalar", thrift.STRUCT, complexScalarField),
		p.WriteFieldBegin(ctx, "data", thrift.STRING, tobjectDataField), p.WriteBinary(ctx, nil),
		p.WriteFieldBegin(ctx, "type", thrift.I32, tobjectTypeField), p.WriteI32(ctx, tobjectNull),
		p.WriteFieldStop(ctx),
		p.WriteFieldStop(ctx),
	)
}
