package users

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	zxcvbn "github.com/ccojocar/zxcvbn-go"
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
		{"jeff", "j3ff1991-12-31", 0, 1},
		{"jeff", "31121991", 0, 0},
		{"jeff", "311291jeff", 0, 0},
		{"jeff", "zyxwvutsr", 0, 0},
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
	if got := len(undisguised([]rune("|1{0(7+4@8[<3!69%$52"))); got != 9 {
		t.Errorf("a password of every symbol has %d readings, want itself and eight", got)
	}
	long := strings.Repeat("wobbly otters ", 70)
	if strength("x", long) != strength("x", long[:mostEstimated]) {
		t.Error("what comes late in a password is estimated")
	}
}

// TestStrengthIsZxcvbns compares with the library's own finder, on passwords made
// of what people make them of, but dates, of which it misses the most. What else it
// misses makes a password weaker here: two symbols for one letter, a username in
// disguise.
func TestStrengthIsZxcvbns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	english, surnames, names, common := shippedList("English"), shippedList("Surnames"), shippedList("FemaleNames"), shippedList(passwordsList)
	kinds := []func() string{
		func() string { return pick(english) },
		func() string { return pick(surnames) },
		func() string { return strings.ToUpper(pick(names)) },
		func() string { return pick(common) },
		func() string {
			return strings.NewReplacer("a", "@", "i", "1", "s", "$", "o", "0").Replace(pick(english))
		},
		func() string { return pick([]string{"qwerty", "zxcvb", "1qaz", "wsxedc", "7894", "aoeu", "!QAZ"}) },
		func() string { return pick([]string{"aaaa", "1111", "zZzZ", "....", "abcdef", "9876", "XYZ", "fedc"}) },
		func() string { return string(rune(' ' + random.IntN('~'-' '))) },
		func() string { return "jeff" },
	}
	const passwords = 300
	weaker := 0
	for range passwords {
		password := ""
		for range 1 + random.IntN(3) {
			password += kinds[random.IntN(len(kinds))]()
		}
		got, theirs := strength("jeff", password), zxcvbn.PasswordStrength(password, []string{"jeff", "jeff"}).Score
		switch {
		case got > theirs:
			t.Errorf("%q has strength %d, and %d by the library's finder", password, got, theirs)
		case got < theirs:
			weaker++
		}
	}
	if weaker > passwords/100 {
		t.Errorf("%d of %d passwords are weaker than by the library's finder", weaker, passwords)
	}
}

// FuzzStrength shows that an estimate is made of whatever a password can be.
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
