package credentials

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Bounds on what a stream makes of its bytes.
const (
	// What 65,536 accounts take that each hold grants in ten environments, which
	// is 100 for each; and at most two for each byte of the file.
	maxValues = 100 << 16
	maxDepth  = 32 // the grants of an account are at 8
)

// What each value, and what is like one, begins with.
const (
	tagNull        = 0x70
	tagReference   = 0x71
	tagClass       = 0x72 // the description of one
	tagObject      = 0x73
	tagString      = 0x74
	tagArray       = 0x75
	tagClassObject = 0x76
	tagBlock       = 0x77
	tagEnd         = 0x78 // of an annotation
	tagReset       = 0x79
	tagLongBlock   = 0x7a
	tagException   = 0x7b
	tagLongString  = 0x7c
	tagProxyClass  = 0x7d
	tagEnum        = 0x7e

	magic       = "\xac\xed\x00\x05" // and version 5
	firstHandle = 0x7e0000
)

// sizes are those of primitive types, in bytes, by the code that class
// descriptions have for them.
var sizes = map[byte]int{'B': 1, 'C': 2, 'D': 8, 'F': 4, 'I': 4, 'J': 8, 'S': 2, 'Z': 1}

// stream reads values. A value is nil, a string, a *object, a *array, a
// *constant, a *class, or, within annotations, a block; a primitive one has the
// Go type of its size.
type stream struct {
	data    []byte
	at      int
	handles []any // what a reference may mean, by number
	room    int   // how many values may still come
}

// block is what a class of the stream's has written in its own way.
type block []byte

// array keeps what is in it.
type array struct {
	class  *class
	values []any
}

// constant is one of an enum.
type constant struct {
	class *class
	name  string
}

// open reads the stream's first value, and leaves the rest.
func (s *stream) open() (any, error) {
	if got := s.data[:min(len(magic), len(s.data))]; string(got) != magic {
		return nil, flawed(0, "expected a Java object stream, which begins with %s, found %s", shown([]byte(magic)), shown(got))
	}
	s.at = len(magic)
	return s.value(0)
}

// shown is how bytes stand in a message.
func shown(b []byte) string {
	if len(b) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("% x", b)
}

// take returns the next n bytes.
func (s *stream) take(n int, what string) ([]byte, error) {
	if n < 0 || n > len(s.data)-s.at {
		return nil, flawed(s.at, "expected %s, and the file ends after %d more bytes", what, len(s.data)-s.at)
	}
	b := s.data[s.at : s.at+n]
	s.at += n
	return b, nil
}

// number reads an unsigned one of n bytes.
func (s *stream) number(n int, what string) (uint64, error) {
	b, err := s.take(n, what)
	if err != nil {
		return 0, err
	}
	var padded [8]byte
	copy(padded[8-n:], b)
	return binary.BigEndian.Uint64(padded[:]), nil
}

// length reads one of n bytes, which takes at least as many bytes behind it.
func (s *stream) length(n int, what string) (int, error) {
	at := s.at
	l, err := s.number(n, what)
	if err == nil && l > uint64(len(s.data)-s.at) {
		err = flawed(at, "expected %s, found one of length %d, and the file ends after %d more bytes", what, l, len(s.data)-s.at)
	}
	return int(l), err
}

// spend counts values.
func (s *stream) spend(n int) error {
	if s.room -= n; s.room < 0 {
		return flawed(s.at, "the file has more values, or refers to them more often, than one of its size may")
	}
	return nil
}

// keep gives the next handle to a value, and returns its number.
func (s *stream) keep(v any) int {
	s.handles = append(s.handles, v)
	return len(s.handles) - 1
}

func (s *stream) value(depth int) (any, error) {
	at := s.at
	tag, err := s.number(1, "a value")
	if err == nil {
		err = s.spend(1)
	}
	if err == nil && depth > maxDepth {
		err = flawed(at, "values are nested more than %d deep", maxDepth)
	}
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagNull:
		return nil, nil
	case tagReference:
		return s.reference()
	case tagString:
		return s.newText(2)
	case tagLongString:
		return s.newText(8)
	case tagObject:
		return s.object(at, depth)
	case tagEnum:
		return s.constant(depth)
	case tagArray:
		return s.array(depth)
	case tagClass:
		return s.class(depth)
	case tagClassObject:
		c, err := s.classOf(depth)
		s.keep(c)
		return c, err
	}
	return nil, flawed(at, "expected a value, found %02x%s", tag, unexpected(tag))
}

// unexpected says what a tag is that stands where no value can begin with it.
func unexpected(tag uint64) string {
	switch tag {
	case tagBlock, tagLongBlock:
		return ", which begins a block of data"
	case tagEnd:
		return ", which ends a block of data"
	case tagReset, tagException, tagProxyClass:
		return ", which no credentials file has"
	}
	return ""
}

func (s *stream) reference() (any, error) {
	at := s.at
	handle, err := s.number(4, "a reference")
	if err != nil {
		return nil, err
	}
	if handle < firstHandle || handle-firstHandle >= uint64(len(s.handles)) {
		return nil, flawed(at, "expected a reference to one of the %d values before it, found %08x", len(s.handles), handle)
	}
	return s.handles[handle-firstHandle], nil
}

func (s *stream) newText(bytes int) (string, error) {
	text, err := s.text(bytes)
	if err == nil {
		err = s.spend(1) // it takes the memory of two other values
	}
	s.keep(text)
	return text, err
}

// text reads a length of n bytes, and as much text.
func (s *stream) text(n int) (string, error) {
	length, err := s.length(n, "a text")
	if err != nil {
		return "", err
	}
	at := s.at
	b, err := s.take(length, "a text")
	if err != nil {
		return "", err
	}
	text, ok := fromJava(b)
	if !ok {
		return "", flawed(at, "expected a text in Java's form of UTF-8")
	}
	return text, nil
}

func (s *stream) constant(depth int) (*constant, error) {
	c := &constant{}
	var err error
	if c.class, err = s.classOf(depth); err != nil {
		return nil, err
	}
	s.keep(c)
	at := s.at
	v, err := s.value(depth + 1)
	if err != nil {
		return nil, err
	}
	var ok bool
	if c.name, ok = v.(string); !ok {
		return nil, flawed(at, "expected the name of a constant")
	}
	return c, nil
}

func (s *stream) array(depth int) (*array, error) {
	a := &array{}
	at := s.at
	var err error
	if a.class, err = s.classOf(depth); err != nil {
		return nil, err
	}
	s.keep(a)
	if len(a.class.name) < 2 || a.class.name[0] != '[' {
		return nil, flawed(at, "expected the class of an array")
	}
	length, err := s.length(4, "an array")
	if err != nil {
		return nil, err
	}
	for range length {
		v, err := s.field(a.class.name[1], depth)
		if err != nil {
			return nil, err
		}
		a.values = append(a.values, v)
	}
	return a, nil
}

// field reads a value of a type, by its code.
func (s *stream) field(code byte, depth int) (any, error) {
	size, primitive := sizes[code]
	if !primitive {
		return s.value(depth + 1)
	}
	at := s.at
	n, err := s.number(size, "a field")
	if err == nil {
		err = s.spend(1)
	}
	if err != nil {
		return nil, err
	}
	switch code {
	case 'B':
		return int8(n), nil
	case 'C':
		return uint16(n), nil
	case 'D':
		return math.Float64frombits(n), nil
	case 'F':
		return math.Float32frombits(uint32(n)), nil
	case 'I':
		return int32(n), nil
	case 'J':
		return int64(n), nil
	case 'S':
		return int16(n), nil
	}
	if n > 1 {
		return nil, flawed(at, "expected 00 or 01, found %02x", n)
	}
	return n == 1, nil
}
