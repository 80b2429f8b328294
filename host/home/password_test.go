package home_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestInitialPassword(t *testing.T) {
	h := open(t)
	if _, _, ok, err := h.ReadInitialPassword(); ok || err != nil {
		t.Fatalf("an empty home has one: %v, %v", ok, err)
	}
	for _, password := range []string{"first", "  second, with spaces and ü "} {
		if err := h.WriteInitialPassword("admin", account.Secret(password)); err != nil {
			t.Fatal(err)
		}
		username, got, ok, err := h.ReadInitialPassword()
		if username != "admin" || string(got) != password || !ok || err != nil {
			t.Errorf("read %q %q %v %v", username, string(got), ok, err)
		}
		data, err := os.ReadFile(h.InitialPassword())
		if want := password + "\nusername admin\n"; err != nil || string(data) != want {
			t.Errorf("the file holds %q, %v; want %q", data, err, want)
		}
		if info, err := os.Stat(h.InitialPassword()); err != nil || info.Mode() != 0o600 {
			t.Errorf("the file is %v, %v", info, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(h.Path(), "*.new")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestInitialPasswordLineBreak(t *testing.T) {
	h := open(t)
	if err := h.WriteInitialPassword("admin", account.Secret("a\nb")); err == nil {
		t.Error("accepted a line break in the password")
	}
	if err := h.WriteInitialPassword("ad\rmin", account.Secret("a")); err == nil {
		t.Error("accepted a line break in the username")
	}
}

func TestReadInitialPasswordSpoiled(t *testing.T) {
	h := open(t)
	for _, text := range []string{"", "pw", "pw\n", "pw\nuser", "pw\nusername admin", "\nusername admin\n", "pw\nusername \n", strings.Repeat("x", 1<<20)} {
		if err := os.WriteFile(h.InitialPassword(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, password, ok, err := h.ReadInitialPassword()
		if ok || password != nil || err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%.20q: %v, %v", text, ok, err)
		}
	}
}

// A crash while the file is written leaves one under another name; it goes too.
func TestRemoveInitialPassword(t *testing.T) {
	h := open(t)
	for _, name := range []string{h.InitialPassword(), h.InitialPassword() + ".new"} {
		if err := os.WriteFile(name, []byte("pw\nusername admin\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := h.RemoveInitialPassword(); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(h.InitialPassword() + "*"); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

func TestNewPassword(t *testing.T) {
	form := regexp.MustCompile(`^([a-hjkmnp-z2-9]{5}-){4}[a-hjkmnp-z2-9]{5}$`)
	seen, letters := map[string]bool{}, map[rune]int{}
	for range 10_000 {
		p := string(home.NewPassword())
		if !form.MatchString(p) || seen[p] {
			t.Fatalf("got %q", p)
		}
		seen[p] = true
		for _, letter := range p {
			letters[letter]++
		}
	}
	// Each is expected 8065 times; 500 off are more than five standard deviations,
	// and less than a remainder's bias.
	for letter, times := range letters {
		if letter != '-' && (times < 8065-500 || times > 8065+500) {
			t.Errorf("%c comes %d times", letter, times)
		}
	}
	if len(letters) != 32 {
		t.Errorf("there are %d letters and hyphens, want 32", len(letters))
	}
}
