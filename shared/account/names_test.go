package account_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestNormalizeUsername(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"jeff", "jeff"},
		{"Jeff", "Jeff"}, // case is significant
		{"zoe\u0308", "zo\u00eb"},
		{"\uff4a\uff45\uff46\uff46", "jeff"}, // full-width
		{"a.b-c_d@e.example", "a.b-c_d@e.example"},
		{strings.Repeat("x", 255), strings.Repeat("x", 255)},
	} {
		got, err := account.NormalizeUsername(c.name)
		if err != nil || got != c.want {
			t.Errorf("NormalizeUsername(%q) = %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	for _, c := range []struct{ name, why string }{
		{"", "must not be empty"},
		{"a b", "white space"},
		{"a\u00a0b", "white space"}, // the original lets this one pass
		{"a\tb", "white space"},
		{"a\x00b", "control characters"},
		{"a\u0085b", "white space"},
		{"a\u200bb", "a character that a username may not have"},
		{"\u202ejeff", "a character that a username may not have"},
		{"a\xffb", "valid UTF-8"},
		{strings.Repeat("x", 256), "at most 255 bytes, this one has 256"},
	} {
		_, err := account.NormalizeUsername(c.name)
		if account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), c.why) {
			t.Errorf("NormalizeUsername(%q): %v; want a refusal that says %q", c.name, err, c.why)
		}
	}
}

func FuzzNormalizeUsername(f *testing.F) {
	for _, s := range []string{"jeff", "zoe\u0308", "a b", "\uff4a", "\u202ejeff", "a\xff", strings.Repeat("\u0958", 85)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n, err := account.NormalizeUsername(name)
		if err != nil {
			return
		}
		if n == "" || len(n) > account.MaxUsername || !utf8.ValidString(n) {
			t.Fatalf("%q became %q", name, n)
		}
		if strings.ContainsFunc(n, unicode.IsSpace) || strings.ContainsFunc(n, unicode.IsControl) {
			t.Fatalf("%q became %q, which has white space or a control character", name, n)
		}
		if again, err := account.NormalizeUsername(n); err != nil || again != n {
			t.Fatalf("the normal form %q of %q is not its own: %q, %v", n, name, again, err)
		}
	})
}

func TestCheckEnvironment(t *testing.T) {
	for _, name := range []string{"default", "Prod_2", "_"} {
		if err := account.CheckEnvironment(name); err != nil {
			t.Errorf("%q is refused: %v", name, err)
		}
	}
	for _, c := range []struct{ name, why string }{
		{"a-b", `for example "ab"`},
		{"---", "is not an environment's name"},
		{"", "must not be empty"},
		{"größe", `for example "gre"`},
		{strings.Repeat("x", 256), "at most 255 bytes"},
	} {
		err := account.CheckEnvironment(c.name)
		if account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), c.why) {
			t.Errorf("CheckEnvironment(%q): %v; want a refusal that says %q", c.name, err, c.why)
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"zoë", "zoë"},
		{"a\x1b[31mb\n", `a\u001b[31mb\u000a`},
		{"a\u009bb", `a\u009bb`},
		{"jeff\u202enimda", `jeff\u202enimda`},
		{"a\u2066b\u2069", `a\u2066b\u2069`},
		{"ad\u200bmin", `ad\u200bmin`},
		{"tag\U000e0041", `tag\U000e0041`},
		{"a\u00a0b", `a\u00a0b`},
		{"Ǆ क्षि שלום", "Ǆ क्षि שלום"},
		{strings.Repeat("x", 65), strings.Repeat("x", 64) + "…"},
	} {
		if got := account.Printable(c.in); got != c.want {
			t.Errorf("Printable(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
