package message

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/thrift/lib/go/thrift"
)

// The bounds of a message, besides its length.
const (
	mostFields = 32   // top fields; no method of Concourse has half as many
	mostDepth  = 64   // of nested values, as Thrift's own library counts them
	mostName   = 1024 // bytes
	mostHeader = 4 + 4 + mostName + 1 + 4
)

// Refusals of a message. No answer is possible to what cannot be read to its
// end, so all of them end the connection.
var (
	ErrTooLong  = errors.New("the message is longer than may be")
	ErrTooDeep  = errors.New("the message is nested deeper than may be")
	ErrNoRoom   = errors.New("there is no room for a message so long")
	ErrTooMany  = errors.New("the message has more fields than may be")
	ErrNoThrift = errors.New("not a message of Thrift's binary protocol")
	ErrTLS      = fmt.Errorf("%w: it begins as TLS does", ErrNoThrift)
)

// Reader reads one message after another. A reader that waits holds less than a
// KiB and a half; one that reads, 16 KiB or twice what has come of its message.
type Reader struct {
	src  io.Reader
	most int64

	sink   func(head *Message, part []byte) error // nil: every message is kept whole
	mark   int
	sent   int64 // bytes of this message that went to the sink
	header Message

	hold func(more int) bool // nil: nobody asks
	held int                 // bytes that it knows of

	small  [smallBuffer]byte
	pooled *[pooledBuffer]byte
	buf    []byte // buf[:end] was read
	at     int    // in buf: how far this message was understood
	end    int
	fields [mostFields]Field
}

// NewReader returns a reader of messages of at most so many bytes.
func NewReader(src io.Reader, most int) *Reader {
	r := &Reader{src: src, most: int64(most)}
	r.buf = r.small[:]
	return r
}

// SetMost changes how long later messages may be.
func (r *Reader) SetMost(most int) { r.most = int64(most) }

// Stream has later messages that are longer than mark sent to the sink, part by
// part as they come, instead of being kept. The head that the sink gets has kind,
// sequence id and, with a message's first part, name; nothing else. Messages that
// are a little longer than mark, or hardly longer than a header, may be kept.
func (r *Reader) Stream(mark int, sink func(head *Message, part []byte) error) {
	// The first part holds the header.
	r.mark, r.sink = max(mark, mostHeader), sink
}

// Wait returns when a message has begun. It forgets the one before. At the end
// of the stream it returns io.EOF.
func (r *Reader) Wait() error {
	r.forget()
	for r.end == 0 {
		if err := r.fill(0); err != nil {
			return err
		}
	}
	return nil
}

// Read reads a message to its end. Its errors are those of the source, with
// io.ErrUnexpectedEOF in the midst of a message, of the sink, and the refusals
// above.
func (r *Reader) Read() (*Message, error) {
	if err := r.Wait(); err != nil {
		return nil, err
	}
	m, err := r.read()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return m, err
}

func (r *Reader) read() (*Message, error) {
	r.header, r.sent = Message{}, 0
	name, err := r.readHeader()
	if err != nil {
		return nil, err
	}
	n := 0
	for {
		kind, id, err := r.fieldBegin()
		if err != nil {
			return nil, err
		}
		if kind == thrift.STOP {
			break
		}
		if n == mostFields {
			return nil, ErrTooMany
		}
		f := &r.fields[n]
		*f = Field{ID: id, Type: kind, Value: r.at}
		if err := r.skip(kind, 1); err != nil {
			return nil, err
		}
		f.End = r.at
		n++
	}
	m := &r.header
	if r.sent > 0 {
		if err := r.send(); err != nil {
			return nil, err
		}
		m.Streamed, m.Name = true, nil
		return m, nil
	}
	m.Name, m.Bytes, m.Fields = r.buf[name:name+len(m.Name)], r.buf[:r.at], r.fields[:n]
	return m, nil
}

// recordOfTLS is what a handshake of TLS begins with: its kind of record, and the
// number of SSL's version. As a name's length it is more than may be.
const recordOfTLS = 0x1603

// readHeader reads the strict form and the older one, and returns where the name
// begins.
func (r *Reader) readHeader() (name int, err error) {
	word, err := r.int32()
	if err != nil {
		return 0, err
	}
	if word>>16 == recordOfTLS {
		return 0, ErrTLS
	}
	m, n := &r.header, word
	if word < 0 {
		if uint32(word)&thrift.VERSION_MASK != thrift.VERSION_1 {
			return 0, ErrNoThrift
		}
		m.Kind = thrift.TMessageType(word & 0xff)
		if n, err = r.int32(); err != nil {
			return 0, err
		}
	}
	if n < 0 || n > mostName {
		return 0, ErrNoThrift
	}
	name = r.at
	if err := r.pass(int64(n)); err != nil {
		return 0, err
	}
	if word >= 0 {
		kind, err := r.byte()
		if err != nil {
			return 0, err
		}
		m.Kind = thrift.TMessageType(kind)
	}
	if m.Kind < thrift.CALL || m.Kind > thrift.ONEWAY {
		return 0, ErrNoThrift
	}
	if m.SeqID, err = r.int32(); err != nil {
		return 0, err
	}
	m.Name = r.buf[name : name+int(n)] // for its length; the buffer may move
	return name, nil
}

// skip reads over a value.
func (r *Reader) skip(kind byte, depth int) error {
	if depth > mostDepth {
		return ErrTooDeep
	}
	if size := size(kind); size > 0 {
		return r.pass(int64(size))
	}
	switch kind {
	case thrift.STRING:
		n, err := r.int32()
		if err != nil {
			return err
		}
		if n < 0 {
			return ErrNoThrift
		}
		return r.pass(int64(n))
	case thrift.STRUCT:
		for {
			kind, _, err := r.fieldBegin()
			if err != nil || kind == thrift.STOP {
				return err
			}
			if err := r.skip(kind, depth+1); err != nil {
				return err
			}
		}
	case thrift.MAP:
		if err := r.need(6); err != nil {
			return err
		}
		key, value := r.buf[r.at], r.buf[r.at+1]
		r.at += 2
		return r.elements(depth, key, value)
	case thrift.LIST, thrift.SET:
		element, err := r.byte()
		if err != nil {
			return err
		}
		return r.elements(depth, element)
	}
	return fmt.Errorf("%w: no type has the number %d", ErrNoThrift, kind)
}

// elements reads the number of elements, and over them. Each takes a byte at
// least, so the work is bounded by the length of the message.
func (r *Reader) elements(depth int, kinds ...byte) error {
	n, err := r.int32()
	switch {
	case err != nil:
		return err
	case n < 0:
		return ErrNoThrift
	case n == 0:
		return nil
	case depth == mostDepth:
		return ErrTooDeep
	}
	each := 0
	for _, kind := range kinds {
		size := size(kind)
		if size == 0 {
			each = 0
			break
		}
		each += size
	}
	if each > 0 {
		return r.pass(int64(n) * int64(each))
	}
	for range n {
		for _, kind := range kinds {
			if err := r.skip(kind, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// size returns the bytes that every value of the type takes; 0 where they differ,
// and for what is no type.
func size(kind byte) int {
	if int(kind) < len(sizes) {
		return sizes[kind]
	}
	return 0
}

var sizes = [...]int{
	thrift.BOOL: 1, thrift.BYTE: 1, thrift.I16: 2, thrift.I32: 4, thrift.I64: 8, thrift.DOUBLE: 8, thrift.UUID: 16,
}

func (r *Reader) fieldBegin() (kind byte, id int16, err error) {
	if kind, err = r.byte(); err != nil || kind == thrift.STOP {
		return kind, 0, err
	}
	if err := r.need(2); err != nil {
		return 0, 0, err
	}
	id = int16(binary.BigEndian.Uint16(r.buf[r.at:]))
	r.at += 2
	return kind, id, nil
}

func (r *Reader) byte() (byte, error) {
	if err := r.need(1); err != nil {
		return 0, err
	}
	b := r.buf[r.at]
	r.at++
	return b, nil
}

func (r *Reader) int32() (int32, error) {
	if err := r.need(4); err != nil {
		return 0, err
	}
	n := int32(binary.BigEndian.Uint32(r.buf[r.at:]))
	r.at += 4
	return n, nil
}
