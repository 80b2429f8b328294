package users_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestPasswordPolicy(t *testing.T) {
	set := map[string]func(h *harness, password account.Secret) error{
		"Create": func(h *harness, password account.Secret) error {
			_, err := h.Create(t.Context(), h.as("admin"), account.Create{Username: "new", Password: password, Role: account.User})
			return err
		},
		"Edit": func(h *harness, password account.Secret) error {
			_, err := h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Password: password})
			return err
		},
		"Password": func(h *harness, password account.Secret) error {
			_, err := h.Password(t.Context(), h.as("admin"), account.Password{Username: "target", Password: password})
			return err
		},
		"Apply": func(h *harness, password account.Secret) error {
			_, err := h.Apply(t.Context(), h.as("admin"), account.Desired{Username: "target", Password: password})
			return err
		},
	}
	for name, do := range set {
		t.Run(name+"/ErrPolicy", func(t *testing.T) {
			h := start(t)
			h.create("target", account.User)
			before, made := h.contents(), h.hashing.Made.Load()
			for _, bad := range []string{"", "seven77", "\xff\xfe\xfd 12345678", "control\x00character", "line\nbreak 123", strings.Repeat("p", 1025), "ééééééé"} {
				invalid(t, do(h, account.Secret(bad)), "password", account.ReasonPasswordPolicy)
			}
			h.unchanged(before)
			if h.hashing.Made.Load() != made {
				t.Error("a password was hashed that may not be set")
			}
		})
		t.Run(name+"/Accepts", func(t *testing.T) {
			for _, good := range []string{"eight888", "éééééééé", "        ", "with spaces in it", strings.Repeat("p", 1024), "пароль пароль", "🔑🔑🔑🔑🔑🔑🔑🔑"} {
				h := start(t)
				h.create("target", account.User)
				if err := do(h, account.Secret(good)); err != nil {
					t.Errorf("%q: %v", good, err)
				}
			}
		})
	}
	t.Run("MinLength", func(t *testing.T) {
		h := open(t, &hooked{Store: mem.New()}, map[string]string{"password.min_length": "3"})
		if _, err := h.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
			t.Fatal(err)
		}
		invalid(t, set["Create"](h, account.Secret("12")), "password", account.ReasonPasswordPolicy)
		if err := set["Create"](h, account.Secret("123")); err != nil {
			t.Error(err)
		}
	})
	with := func(t *testing.T, settings map[string]string) *harness {
		h := open(t, &hooked{Store: mem.New()}, settings)
		out, err := h.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())})
		if err != nil || out.Warning != "" {
			t.Fatalf("%+v, %v", out, err)
		}
		return h
	}
	t.Run("DenyCommon", func(t *testing.T) {
		for name, do := range set {
			h := with(t, nil)
			h.create("target", account.User)
			for _, common := range []string{"trustno1", "TrustNo1", "PASSWORD"} {
				refused(t, name, do(h, account.Secret(common)), "the password is among the most common passwords")
			}
			if err := do(h, account.Secret("TrustNo11")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		h := with(t, map[string]string{"password.deny_common": "false"})
		if err := set["Create"](h, account.Secret("trustno1")); err != nil {
			t.Error(err)
		}
	})
	t.Run("MinStrength", func(t *testing.T) {
		h := with(t, map[string]string{"password.min_strength": "3"})
		h.create("target", account.User)
		refused(t, "weak", set["Password"](h, account.Secret("iloveyou22")), "the password is too easy to guess: strength 0 of 4, at least 3 is asked for")
		refused(t, "its name", set["Password"](h, account.Secret("target..target")), "the password is too easy to guess: strength 0 of 4, at least 3 is asked for")
		if err := set["Password"](h, account.Secret("wobbly otters knit")); err != nil {
			t.Error(err)
		}
	})
	t.Run("AllReasonsAtOnce", func(t *testing.T) {
		h := with(t, map[string]string{"password.min_strength": "2", "password.min_length": "12", "password.deny_file": denyFile(t, "qwerty123\n")})
		h.create("target", account.User)
		refused(t, "all", set["Password"](h, account.Secret("qwerty123")), "a password must have at least 12 characters; "+
			"the password is among the most common passwords; the password is on this server's list of denied passwords; the password is too easy to guess: strength 0 of 4, at least 2 is asked for")
	})
	t.Run("DenyFile", func(t *testing.T) {
		h := with(t, map[string]string{"password.deny_file": denyFile(t, "\ufeffacme widgets\r\n\n  two spaces \nSe\u0301same ouvre\nctrl\x01char\nnot \xff utf-8\nthe last one")})
		h.create("target", account.User)
		for _, denied := range []string{"acme widgets", "ACME Widgets", "  two spaces ", "s\u00e9same ouvre", "the last one"} {
			refused(t, denied, set["Password"](h, account.Secret(denied)), "the password is on this server's list of denied passwords")
		}
		for _, free := range []string{"two spaces", "acme widget", "acme widgetss", "the last on"} {
			if err := set["Password"](h, account.Secret(free)); err != nil {
				t.Errorf("%q: %v", free, err)
			}
		}
	})
	t.Run("DenyFileInTheHome", func(t *testing.T) {
		h := unconfigured(t, &hooked{Store: mem.New()})
		path := denyFile(t, "acme widgets")
		c := account.Configuration{Home: filepath.Dir(path), Settings: map[string]string{"password.deny_file": filepath.Base(path)}}
		if _, err := h.Configure(t.Context(), c); err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrDenyFile", func(t *testing.T) {
		for name, c := range map[string]struct{ path, why string }{
			"Missing":   {filepath.Join(t.TempDir(), "none"), "no such file"},
			"Directory": {t.TempDir(), "is not a regular file"},
			"Empty":     {denyFile(t, "\n\r\n\n"), "has no password; it needs one on each line, in UTF-8"},
			"UTF16":     {denyFile(t, "\xff\xfea\x00b\x00\n\x00"), "has no password"},
			"Large":     {denyFile(t, strings.Repeat("x", 10<<20+1)), "is larger than 10 MiB"},
			"Long":      {denyFile(t, strings.Repeat("x\n", 1_000_001)), "has more than 1000000 lines"},
			"NoName":    {"", "name a file with one password on each line"},
		} {
			h := unconfigured(t, &hooked{Store: mem.New()})
			_, err := h.Configure(t.Context(), account.Configuration{Settings: map[string]string{"password.deny_file": c.path}})
			invalid(t, err, "plugin.settings.password.deny_file", "")
			if !strings.Contains(fmt.Sprint(err), c.why) {
				t.Errorf("%s: %q does not say %q", name, err, c.why)
			}
		}
	})
	t.Run("ErrUnknown", func(t *testing.T) {
		_, err := unconfigured(t, &hooked{Store: mem.New()}).Configure(t.Context(), account.Configuration{Settings: map[string]string{"password.lenght": "9"}})
		want := "plugin.settings.password.lenght is not a setting; those of passwords are password.min_length, password.min_strength, password.deny_common and password.deny_file"
		if fmt.Sprint(err) != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
	t.Run("OneFormForEveryTyping", func(t *testing.T) {
		h := start(t)
		h.must(h.Create(t.Context(), h.as("admin"), account.Create{Username: "target", Password: account.Secret("se\u0301same\u00a0ouvre toi"), Role: account.User}))
		if _, err := h.login("target", "s\u00e9same ouvre\u3000toi"); err != nil {
			t.Error(err)
		}
	})
}

// refused checks the text of a password's refusal.
func refused(t *testing.T, what string, err error, text string) {
	t.Helper()
	invalid(t, err, "password", account.ReasonPasswordPolicy)
	if fmt.Sprint(err) != text {
		t.Errorf("%s: got %q, want %q", what, err, text)
	}
}

// denyFile writes a file of denied passwords.
func denyFile(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "denied.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
