package users

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStrength(t *testing.T) {
	for _, c := range []struct {
		username, password string
		least, most        int
	}{
		{"jeff", "password", 0, 0},
		{"jeff", "P@ssw0rd!", 0, 1},
		{"jeff", "qwerty123456", 0, 1},
		{"jeff", "wobbly otters knit scarves", 4, 4},
		{"jeff", "k2#9Lq!z", 3, 4},
		{"xanthoq.brivel@example", "XanthoqBrivel1", 0, 1},
		{"another", "XanthoqBrivel1", 4, 4},
		{"zoë", "zoëzoëzoë", 0, 1},
		{"_.-_.-_.-_", "_.-_.-_.-_", 0, 0},
		{"another", "_.-_.-_.-_", 4, 4},
		{"jeff", "", 0, 0},
	} {
		if got := strength(c.username, c.password); got < c.least || got > c.most {
			t.Errorf("%q of %s has strength %d, want %d to %d", c.password, c.username, got, c.least, c.most)
		}
	}
}

// The longest passwords of the costliest symbols are estimated in a bounded
// part.
func TestStrengthIsBounded(t *testing.T) {
	if got := firstRunes("zoë zoë", 3); got != "zoë" {
		t.Errorf("the first three characters are %q", got)
	}
	if got := firstRunes("zo", 3); got != "zo" {
		t.Errorf("all characters are %q", got)
	}
	if got := countAny("a4b4c@", disguises); got != 2 {
		t.Errorf("%d symbols were counted", got)
	}
	long := strings.Repeat("wobbly otters ", 70)
	if strength("x", long) != strength("x", long[:mostEstimated]) {
		t.Error("what comes late in a password is estimated")
	}
}

// FuzzStrength shows that the library takes whatever a password can be.
func FuzzStrength(f *testing.F) {
	for _, seed := range []string{"", "password", "éééé1111", "日本語20111231", "4@8({[<3691!|70$5+%2", "İstanbul", "\U0001f511\U0001f511", "1/1/91 91-1-1"} {
		f.Add("jeff", seed)
	}
	f.Fuzz(func(t *testing.T, username, password string) {
		if len(password) > 100 || !utf8.ValidString(password) {
			return
		}
		if got := strength(username, password); got < 0 || got > bestStrength {
			t.Errorf("%q has strength %d", password, got)
		}
	})
}

func BenchmarkStrength(b *testing.B) {
	for name, password := range map[string]string{
		"short":    "k2#9Lq!z",
		"words":    "wobbly otters knit scarves",
		"longest":  strings.Repeat("wobbly otters ", 70),
		"disguise": "<|1{0(" + strings.Repeat("aB", 60),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				strength("admin", password)
			}
		})
	}
}
