package session

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
)

// id is a session's public name: 50 random bits that say nothing about its
// token, written as 10 characters. The alphabet is in ASCII order, so that ids
// sort alike as numbers and as text.
type id uint64

const (
	idAlphabet = "234567abcdefghijklmnopqrstuvwxyz"
	idLength   = 10
)

func newID() id {
	var b [8]byte
	rand.Read(b[:])
	return id(binary.LittleEndian.Uint64(b[:]) >> (64 - 5*idLength))
}

func parseID(text string) (n id, ok bool) {
	if len(text) != idLength {
		return 0, false
	}
	for i := range len(text) {
		digit := strings.IndexByte(idAlphabet, text[i])
		if digit < 0 {
			return 0, false
		}
		n = n<<5 | id(digit)
	}
	return n, true
}

// String returns the text form.
func (n id) String() string {
	var b [idLength]byte
	for i := idLength - 1; i >= 0; i-- {
		b[i] = idAlphabet[n&31]
		n >>= 5
	}
	return string(b[:])
}
