package credentials

import (
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// fromJava reads Java's form of UTF-8: of UTF-16 units, each in one to three
// bytes, zero in two. A text with half of a surrogate pair is none.
func fromJava(b []byte) (string, bool) {
	if !slices.ContainsFunc(b, func(c byte) bool { return c == 0 || c >= utf8.RuneSelf }) {
		return string(b), true // as nearly all are
	}
	units := make([]uint16, 0, len(b))
	for len(b) > 0 {
		unit, n := unitFromJava(b)
		if n == 0 {
			return "", false
		}
		units = append(units, unit)
		b = b[n:]
	}
	text := make([]byte, 0, len(units))
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if i+1 == len(units) {
				return "", false
			}
			if r = utf16.DecodeRune(r, rune(units[i+1])); r == utf8.RuneError {
				return "", false
			}
			i++
		}
		text = utf8.AppendRune(text, r)
	}
	return string(text), true
}

// unitFromJava returns the first unit and the number of its bytes, 0 for none.
func unitFromJava(b []byte) (unit uint16, n int) {
	follows := func(i int) bool { return i < len(b) && b[i]&0xc0 == 0x80 }
	switch c := b[0]; {
	case c != 0 && c < 0x80:
		return uint16(c), 1
	case c&0xe0 == 0xc0 && follows(1):
		unit, n = uint16(c&0x1f)<<6|uint16(b[1]&0x3f), 2
		if unit != 0 && unit < 0x80 {
			return 0, 0
		}
		return unit, n
	case c&0xf0 == 0xe0 && follows(1) && follows(2):
		unit, n = uint16(c&0x0f)<<12|uint16(b[1]&0x3f)<<6|uint16(b[2]&0x3f), 3
		if unit < 0x800 {
			return 0, 0
		}
		return unit, n
	}
	return 0, 0
}
