package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The parser is reached from inside, because a fuzzer cannot start a process
// for each input.
func parse(text string) *accountReader {
	r := &accountReader{name: "f", directory: "nowhere", places: map[string]string{}}
	r.read([]byte(text))
	return r
}

func usernames(tasks []*task) (names []string) {
	for _, t := range tasks {
		names = append(names, t.Username)
	}
	return names
}

func TestReadAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"Mapping":            {"username: a", []string{"a"}},
		"List":               {"- username: a\n- username: b\n", []string{"a", "b"}},
		"Documents":          {"---\nusername: a\n---\n# none\n---\n- username: b\n...\n", []string{"a", "b"}},
		"JSON":               {`[{"username":"a","sessions":3},{"username":"b","last_login_at":null}]`, []string{"a", "b"}},
		"JSONWithTabs":       {"{\n\t\"username\":\t\"a\"\n}\n", []string{"a"}},
		"JSONSurrogates":     {`{"username":"\ud842\udfb7"}`, []string{"𠮷"}},
		"JSONNoSurrogates":   {`{"username":"\\ud842\\udfb7"}`, []string{`\ud842\udfb7`}},
		"ByteOrderMark":      {"\ufeffusername: a", []string{"a"}},
		"TextThatLooksOther": {"- username: 007\n- username: yes\n- username: 2026-01-01\n- username: \"null\"\n- username: true", []string{"007", "yes", "2026-01-01", "null", "true"}},
		"NormalForm":         {"username: ｊｅｆｆ", []string{"jeff"}},
		"Windows":            {"- username: a\r\n- username: b\r\n", []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := parse(c.text)
			if d := cmp.Diff(c.want, usernames(r.accounts)); d != "" || r.mistakes.err() != nil {
				t.Errorf("%v (-want +got):\n%s", r.mistakes.err(), d)
			}
		})
	}
	for name, c := range map[string]struct{ text, want string }{
		"ErrNUL":            {"username: a\n\x00", "f:2: it has a control character here"},
		"ErrNotUTF8":        {"username: a\nrole: \xff", "f:2: it is not UTF-8 here"},
		"ErrUTF16":          {"\xff\xfeu\x00", "f:1: it is not UTF-8 here"},
		"ErrText":           {"jeff", "f:1: an account must be a mapping"},
		"ErrNested":         {"- - username: a", "f:1: an account must be a mapping"},
		"ErrDeep":           {strings.Repeat("[", 1<<20), "f:1: it is not YAML: exceeded max depth"},
		"ErrAlias":          {"- &a {username: a}\n- *a", "f:1: anchors, aliases and tags are not read here"},
		"ErrUnknownAlias":   {"username: *open_sesame", "f:1: it is not YAML: anchors, aliases"},
		"ErrAliasOfGrants":  {"username: a\ngrants: &g {}\n", "f:2: grants: anchors, aliases"},
		"ErrMerge":          {"username: a\n<<: {role: USER}", "f:2: what stands before a colon must be a plain name"},
		"ErrTag":            {"username: !!str a", "f:1: username: anchors, aliases"},
		"ErrComplexKey":     {"? [a]\n: b\n", "f:1: what stands before a colon must be a plain name"},
		"ErrUsername":       {"username: two words", "f:1: username: a username must not contain white space"},
		"ErrUsernameList":   {"username: [a]", "f:1: username must be a single value"},
		"ErrNoUsername":     {"username: ", "f:1: username has no value"},
		"ErrEnabled":        {"username: a\nenabled: \"true\"", "f:2: enabled must be true or false"},
		"ErrEnabledYes":     {"username: a\nenabled: yes", "f:2: enabled must be true or false"},
		"ErrGrants":         {"username: a\ngrants:\n", "f:2: grants has no value"},
		"ErrPermissionList": {"username: a\ngrants: {e: [[READ]]}", "f:2: grants: e: \"\" is not a permission"},
		"ErrEnvironmentTwo": {"username: a\ngrants:\n  e: [READ]\n  e: [WRITE]", "f:4: e is given twice, first on line 3"},
		"ErrTime":           {"username: a\ncreated_at: 2026-11-23", "f:2: created_at must be a time"},
		"ErrPassword":       {"username: a\npassword: open sesame", "f:2: password: a password does not stand in the file itself"},
		"ErrVariable":       {"username: a\npassword_env: open sesame", "f:2: password_env must be the name of a variable"},
		"ErrHash":           {"username: a\npassword_hash: open sesame", "f:2: password_hash is no hash"},
		"ErrHashInBraces":   {"{username: a, password_hash: $argon2id$m=1,sesame=1}", "f:1: there is no such field; if it belongs to a hash, that must stand in quotes"},
		"ErrUnknownTwice":   {"username: a\nsesame: 1\nsesame: 1", "f:2: there is no such field"},
		"ErrStandardInput":  {"username: a\npassword_file: '-'", "f:2: password_file must be the name of a file"},
	} {
		t.Run(name, func(t *testing.T) {
			r := parse(c.text)
			lines := r.mistakes.lines
			if len(lines) == 0 || !strings.HasPrefix(lines[0], c.want) || strings.Contains(strings.Join(lines, ""), "sesame") {
				t.Errorf("it says %q, want first %q", lines, c.want)
			}
		})
	}
	t.Run("Booleans", func(t *testing.T) {
		r := parse("[{username: a, enabled: True}, {username: b, enabled: TRUE}, {username: c, enabled: FALSE}, {username: d, enabled: False}]")
		var enabled []bool
		for _, a := range r.accounts {
			enabled = append(enabled, *a.Enabled)
		}
		if d := cmp.Diff([]bool{true, true, false, false}, enabled); d != "" || r.mistakes.err() != nil {
			t.Errorf("%v (-want +got):\n%s", r.mistakes.err(), d)
		}
	})
	t.Run("ErrMany", func(t *testing.T) {
		err := parse(strings.Repeat("- role: KING\n", 80)).mistakes.err()
		if account.KindOf(err) != account.KindInvalid || !strings.HasPrefix(err.Error(), "160 mistakes found") ||
			!strings.HasSuffix(err.Error(), "\nand 60 more") {
			t.Errorf("it says %v", err)
		}
	})
}

func TestPhases(t *testing.T) {
	yes, no := true, false
	a := &applying{host: &steadyHost{caller: "me"}, pruned: []*task{{Desired: account.Desired{Username: "old"}, delete: true}}}
	for _, d := range []account.Desired{
		{Username: "demoted", Role: account.User}, {Username: "me", Role: account.User}, {Username: "made", Role: account.Admin},
		{Username: "suspended", Role: account.Admin, Enabled: &no}, {Username: "kept"}, {Username: "enabled", Enabled: &yes},
	} {
		a.named = append(a.named, &task{Desired: d})
	}
	var got [][]string
	for _, phase := range a.phases() {
		got = append(got, usernames(phase))
	}
	if d := cmp.Diff([][]string{{"made", "kept", "enabled"}, {"demoted", "suspended"}, {"old"}, {"me"}}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// FuzzReadAccounts: whatever a file has, it is read or refused, and no refusal
// has a secret in it.
func FuzzReadAccounts(f *testing.F) {
	for _, seed := range []string{
		"", "username: jeff\nrole: USER\nenabled: false\ngrants: {default: [READ, write]}\n",
		"- username: a\n  password_env: HOME\n- username: b\n  created_at: 2026-11-23T10:48:31.5Z\n---\nusername: c",
		`[{"username":"\ud842\udfb7","sessions":1,"last_login_at":null}]`, "&a [*a]", "a: !!binary x", "<<: {}", "? {}", "\ufeff%YAML 1.2\n---\n",
		"username: a\nusername: a", "{", "[[[[", "- |\n a", "'", "\"\\ud800\"", "\x00", "\xff", "password: 1", "grants: {e: {e: e}}",
	} {
		f.Add([]byte(seed))
	}
	const secret = "open-sesame"
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("_file")) || bytes.Contains(data, []byte(secret)) {
			return // the first would open whatever the fuzzer thinks of
		}
		for _, text := range []string{
			string(data), "- username: x\n  password_hash: " + secret + "\n" + string(data), "username: x\npassword: " + secret + string(data),
			"- {username: x, password_hash: $argon2id$m=1," + secret + "}\n" + string(data), "username: x\n? " + string(data) + "\n: &" + secret,
		} {
			r := parse(text)
			for _, line := range r.mistakes.lines {
				if strings.Contains(line, secret) {
					t.Fatalf("a secret is in %q", line)
				}
			}
			if r.mistakes.err() != nil {
				continue
			}
			names := usernames(r.accounts)
			for _, task := range r.accounts {
				if n, err := account.NormalizeUsername(task.Username); err != nil || n != task.Username {
					t.Fatalf("%q is taken for a username", task.Username)
				}
				if task.Password != nil && task.PasswordHash != nil {
					t.Fatal("an account has a password and a hash")
				}
			}
			if slices.Sort(names); len(slices.Compact(names)) != len(r.accounts) {
				t.Fatalf("an account is there twice among %q", names)
			}
		}
	})
}
