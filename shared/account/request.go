package account

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"
)

// RequestID names one attempt to change something, so that repeating it takes
// effect once. It is a version 7 UUID: it carries its time, and ids sort by it.
type RequestID [16]byte

// NewRequestID returns an id that carries now.
func NewRequestID(now time.Time) RequestID {
	id := FirstRequestID(now)
	var random [10]byte
	rand.Read(random[:])
	random[0] &= 0x0f
	random[2] &= 0x3f
	for i, b := range random {
		id[6+i] |= b
	}
	return id
}

// FirstRequestID returns the id that sorts before all others of its time.
func FirstRequestID(at time.Time) RequestID {
	var id RequestID
	ms := uint64(max(at.UnixMilli(), 0))
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = 0x70, 0x80
	return id
}

// ParseRequestID reads the text form, 36 characters with hyphens.
func ParseRequestID(s string) (RequestID, error) {
	var id RequestID
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		digits := strings.ReplaceAll(s, "-", "")
		if n, err := hex.Decode(id[:], []byte(digits)); err == nil && n == len(id) && id[6]>>4 == 7 && id[8]>>6 == 2 {
			return id, nil
		}
	}
	return RequestID{}, Invalid("request_id", "%q is not a request id; it is a version 7 UUID, as an earlier answer named it", Printable(s))
}

// Time returns the time that the id carries, to the millisecond.
func (id RequestID) Time() time.Time {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms)
}

// IsZero reports whether there is no id.
func (id RequestID) IsZero() bool { return id == RequestID{} }

// String returns the text form of RFC 9562.
func (id RequestID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// How old a request id may be for new work under it, and how long its record is
// kept. A repeat is answered for as long as there is a record.
const (
	RequestLifetime = time.Hour
	RecordLifetime  = 24 * time.Hour
)
