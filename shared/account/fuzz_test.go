package account_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/shared/account"
)

// FuzzParseRequestID: what is taken for an id is one that its own text names, in
// whatever letter case, and that sorts by its time.
func FuzzParseRequestID(f *testing.F) {
	id := account.NewRequestID(time.UnixMilli(1_800_000_000_000)).String()
	for _, seed := range []string{
		"", id, strings.ToUpper(id), id + " ", id[:35], strings.ReplaceAll(id, "-", ""), strings.Replace(id, "-", "", 1) + "-",
		"{" + id[1:], account.RequestID{}.String(), "ffffffff-ffff-7fff-bfff-ffffffffffff", "01890a5d-ac96-174b-bcce-b302099a8057",
		"01890a5d-ac96-774b-fcce-b302099a8057", "01890a5d\uff0dac96-774b-8cce-b302099a80",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := account.ParseRequestID(text)
		if err != nil {
			if e := err.(*account.Error); e.Kind != account.KindInvalid || e.Field != "request_id" || !onLine(e.Message) {
				t.Errorf("%q is refused with %+v", text, e)
			}
			return
		}
		if id.IsZero() || id.String() != strings.ToLower(text) {
			t.Errorf("%q is read as %s", text, id)
		}
		first := account.FirstRequestID(id.Time())
		if bytes.Compare(first[:], id[:]) > 0 {
			t.Errorf("%s sorts before the first id of its time", id)
		}
		after := account.FirstRequestID(id.Time().Add(time.Millisecond))
		if id.Time().UnixMilli() < 1<<48-1 && bytes.Compare(id[:], after[:]) >= 0 {
			t.Errorf("%s sorts behind the first id of a later time", id)
		}
	})
}

// FuzzPrintable: whatever is shown prints, is short, and stays what it is when
// it is shown again, unless it was cut.
func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{
		"", "jeff", "zoë", "\x1b]0;owned\x07", "a\u009b31m", "jeff\u202enimda", "ad\u200bmin", "\xff\xfe", "\ufffd", "\U000e0041",
		"\u2066\u2069", "a\u0301\u0301\u0301", strings.Repeat("\u202e", 70), strings.Repeat("x", 64) + "\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := account.Printable(text)
		if !onLine(shown) || utf8.RuneCountInString(shown) > 64*10+1 {
			t.Errorf("%q is shown as %q", text, shown)
		}
		if again := account.Printable(shown); utf8.RuneCountInString(shown) <= 64 && again != shown {
			t.Errorf("%q is shown as %q, and that as %q", text, shown, again)
		}
		if onLine(text) && utf8.RuneCountInString(text) <= 64 && !strings.ContainsRune(text, utf8.RuneError) && shown != text {
			t.Errorf("%q, which prints, is shown as %q", text, shown)
		}
	})
}

// FuzzCheckEnvironment: a name is accepted exactly if it is clean and not too
// long, and what a refused one would be cleaned to is accepted.
func FuzzCheckEnvironment(f *testing.F) {
	for _, seed := range []string{
		"", "default", "_", "Prod_2", "prod-eu", "prod eu", "zoë", "\u0661", "\uff41", "a\x00b", "../..", strings.Repeat("e", 255), strings.Repeat("e", 256), "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean := account.CleanEnvironment(name)
		if account.CleanEnvironment(clean) != clean || strings.ContainsFunc(clean, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) || r == ' ' }) {
			t.Errorf("%q is cleaned to %q", name, clean)
		}
		err := account.CheckEnvironment(name)
		if ok := name != "" && clean == name && len(name) <= account.MaxEnvironment; ok != (err == nil) {
			t.Errorf("%q: %v", name, err)
		}
		if err != nil && (account.KindOf(err) != account.KindInvalid || !onLine(err.Error())) {
			t.Errorf("%q is refused with %v", name, err)
		}
		if 0 < len(clean) && len(clean) <= account.MaxEnvironment && account.CheckEnvironment(clean) != nil {
			t.Errorf("%q is cleaned to %q, which is refused", name, clean)
		}
	})
}

// onLine reports whether a text prints, on one line.
func onLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
