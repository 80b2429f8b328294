package config_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/shared/account"
)

// FuzzVariable feeds one variable of the environment and one option: they are
// refused under their names, ignored with a warning, or within bounds; and
// whatever is said prints, and shows no password.
func FuzzVariable(f *testing.F) {
	for _, s := range config.Settings() {
		if s.Env() != "" {
			f.Add(s.Env(), s.Default, s.Name, s.Default)
		}
	}
	for _, seed := range [][4]string{
		{"CONCOURSE_LEASE", "-1s", "lease", "1h1"}, {"CONCOURSE_AUDIT_MAX_SIZE", "9223372036854775807GiB", "audit.max_size", "64KiB"},
		{"CONCOURSE_METRICS_ADDRESS", "[::1%lo]:0", "metrics.address", "0.0.0.0:1"}, {"CONCOURSE_PLUGIN_SHA256", "\x1b[31m", "plugin.sha256", strings.Repeat("ab", 32)},
		{"CONCOURSE_INIT_ROOT_PASSWORD", strings.Repeat("p", 1025), "init.root.username", "\u202enimda"}, {"CONCOURSE_PLUGIN_SETTINGS_PATH", "x", "plugin.settings.path", "y"},
		{"CONCOURSE_\u202e", "x", "plugin.settings.a b", "y"}, {"CONCOURSE_HOME", "/", "plugin.settings", "y"}, {"PATH", "/bin", "init_root_password", "z"}, {"CONCOURSE_", "=", "", ""},
		{"CONCOURSE_CLIENT_ADDRESS", ":", "client_port", "17\x1b"}, {"CONCOURSE_UPSTREAM_ADDRESS", "\u202e:1", "upstream", ":1"}, {"CONCOURSE_UPSTREAM_PASSWORD", strings.Repeat("p", 1025), "upstream.username", "u"},
		{"CONCOURSE_MANAGEMENT_PORT", "65536", "management_port", "AUTO"}, {"CONCOURSE_CLIENT_TLS_KEY", "k", "client.tls.certificate", "c"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	home := f.TempDir()
	f.Fuzz(func(t *testing.T, variable, value, name, given string) {
		told := func(what, text string) {
			if !utf8.ValidString(text) || strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: %q", what, text)
			}
			if strings.HasSuffix(variable, "_PASSWORD") && len(value) > 16 && strings.Contains(text, value) {
				t.Errorf("%s shows the password: %q", what, text)
			}
		}
		c, warnings, err := config.Load(home, []string{variable + "=" + value}, map[string]string{name: given})
		if err != nil {
			told("the refusal", err.Error())
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "CONCOURSE_") && !strings.HasPrefix(line, "--") {
					t.Errorf("the refusal has the line %q", line)
				}
			}
			return
		}
		for _, w := range warnings {
			told("a warning", w.String())
		}
		if c.Lease < time.Second || c.Audit.MaxSize < 64<<10 || c.Audit.Keep < 0 || account.CheckEnvironment(c.DefaultEnvironment) != nil || len(c.Init.Password) > account.MaxPassword || !bounded(c) {
			t.Errorf("accepted %+v", c)
		}
		if n, err := account.NormalizeUsername(c.Init.Username); err != nil || n != c.Init.Username {
			t.Errorf("accepted the username %q", c.Init.Username)
		}
		for _, e := range c.Settings() {
			if e.Secret && e.Value != "" && e.Value != config.Masked {
				t.Errorf("%s is shown", e.Name)
			}
		}
	})
}
