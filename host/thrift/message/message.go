package message

import (
	"encoding/binary"
	"errors"
	"net"

	"github.com/apache/thrift/lib/go/thrift"
)

// Message is one message, as it lies in the reader's buffer: good until the
// reader's next Wait or Read.
type Message struct {
	Name   []byte
	Kind   thrift.TMessageType
	SeqID  int32
	Bytes  []byte // the whole message, from its header to the end of its struct
	Fields []Field

	// Streamed says that the message was too long to be kept, and has gone out to
	// the reader's sink whole. Name, Bytes and Fields are empty.
	Streamed bool
}

// Field is one field of a message's struct: what lies where in Bytes.
type Field struct {
	ID    int16
	Type  byte // a thrift.TType
	Value int  // where its value begins
	End   int  // and ends
}

// ErrTwice says that a field that a gateway must look at is there twice: reader
// and reader's reader could take different ones for the one that counts.
var ErrTwice = errors.New("a field is there twice")

// ErrType says that a field is not of the type that it must have.
var ErrType = errors.New("a field is not of its type")

// Field returns the field of that id, which must be of that type; nil if there
// is none. It refuses with ErrTwice and ErrType.
func (m *Message) Field(id int16, of thrift.TType) (*Field, error) {
	var found *Field
	for i := range m.Fields {
		f := &m.Fields[i]
		switch {
		case f.ID != id:
		case found != nil:
			return nil, ErrTwice
		case f.Type != byte(of):
			return nil, ErrType
		default:
			found = f
		}
	}
	return found, nil
}

// Value returns a field's value as it stands in the message.
func (m *Message) Value(f *Field) []byte { return m.Bytes[f.Value:f.End] }

// Patch puts other bytes in the place of a field's value.
type Patch struct {
	Field *Field
	With  []byte
}

// Patched appends the message to buffers, with the patches, which are in the
// order of their places, in it. Nothing is copied.
func (m *Message) Patched(to net.Buffers, patches ...Patch) net.Buffers {
	at := 0
	for _, p := range patches {
		to = append(to, m.Bytes[at:p.Field.Value], p.With)
		at = p.Field.End
	}
	return append(to, m.Bytes[at:])
}

// Text returns a string's or binary's content.
func Text(value []byte) []byte { return value[4:] }

var errToken = errors.New("not a token's structure")

// AppendAccessToken appends an AccessToken's structure.
func AppendAccessToken(to, data []byte) []byte {
	to = append(to, thrift.STRING, 0, 1)
	to = binary.BigEndian.AppendUint32(to, uint32(len(data)))
	to = append(to, data...)
	return append(to, thrift.STOP)
}

// AccessToken returns what is in an AccessToken's structure. It takes the form
// that AppendAccessToken writes, as every driver does, and no other.
func AccessToken(value []byte) (data []byte, err error) {
	data, rest, err := accessToken(value)
	if err != nil || len(rest) != 0 {
		return nil, errToken
	}
	return data, nil
}

const tokenHead = 1 + 2 + 4 // type, id, length

func accessToken(value []byte) (data, rest []byte, err error) {
	if len(value) < tokenHead || value[0] != thrift.STRING || value[1] != 0 || value[2] != 1 {
		return nil, nil, errToken
	}
	n := int64(binary.BigEndian.Uint32(value[3:]))
	if int64(len(value)) < tokenHead+n+1 || value[tokenHead+n] != thrift.STOP {
		return nil, nil, errToken
	}
	return value[tokenHead : tokenHead+n], value[tokenHead+n+1:], nil
}

// AppendTransactionToken appends a TransactionToken's structure.
func AppendTransactionToken(to, token []byte, timestamp int64) []byte {
	to = append(to, thrift.STRUCT, 0, 1)
	to = AppendAccessToken(to, token)
	to = append(to, thrift.I64, 0, 2)
	to = binary.BigEndian.AppendUint64(to, uint64(timestamp))
	return append(to, thrift.STOP)
}

// TransactionToken returns what is in a TransactionToken's structure, of the form
// that AppendTransactionToken writes.
func TransactionToken(value []byte) (token []byte, timestamp int64, err error) {
	if len(value) < 3 || value[0] != thrift.STRUCT || value[1] != 0 || value[2] != 1 {
		return nil, 0, errToken
	}
	token, rest, err := accessToken(value[3:])
	if err != nil || len(rest) != 3+8+1 || rest[0] != thrift.I64 || rest[1] != 0 || rest[2] != 2 || rest[11] != thrift.STOP {
		return nil, 0, errToken
	}
	return token, int64(binary.BigEndian.Uint64(rest[3:])), nil
}
