package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotedWord is s as a shell takes it for one word, and as a terminal shows it.
func quotedWord(s string) string {
	plain, printable := s != "", true
	for k, r := range s {
		plain = plain && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_@%+:,./=-", r))
		printable = printable && unicode.IsPrint(r) && (r != utf8.RuneError || strings.HasPrefix(s[k:], "\ufffd"))
	}
	switch {
	case plain && printable:
		return s
	case printable:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for k := 0; k < len(s); {
		r, n := utf8.DecodeRuneInString(s[k:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + s[k:k+n])
		case unicode.IsPrint(r) && (r != utf8.RuneError || n > 1):
			b.WriteString(s[k : k+n])
		default:
			for _, c := range []byte(s[k : k+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		}
		k += n
	}
	return b.String() + "'"
}
