package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/config"
)

// FuzzLoad feeds the settings file: whatever stands in it, Load either refuses
// in lines that name the file, or returns settings within their bounds.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "lease: 10s\n", "init_root_password: 'x'\ninit: {root: {password: x}}\n", "plugin:\n  settings:\n    path: users.db\n",
		"audit: {max_size: 64 MiB, keep: 0}\n", "a: &x [*x]\n", "? {a: b}\n: c\n", "%YAML 1.2\n---\nlog.level: debug\n...\n", "lease: |\n  1s\n",
		"lease: !!binary MXM=\n", "<<: *a\n", "\"le\\x61se\": 2s\n", "plugin.settings.: 1\n", "- - - -\n", "\xef\xbb\xbflease: 1s\n", "lease: 1s\n---\n",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	path := filepath.Join(dir, config.File)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(dir, nil, nil)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, path+":") && !strings.HasPrefix(line, "and ") {
					t.Errorf("the error has the line %q", line)
				}
			}
			return
		}
		if c.Lease < time.Second || c.Audit.MaxSize < 64<<10 || c.Audit.Keep < 0 || c.Init.Username == "" {
			t.Errorf("accepted %+v", c)
		}
		for _, e := range c.Settings() {
			if e.Origin != "default" && !strings.HasPrefix(e.Origin, config.File+":") {
				t.Errorf("%s comes from %q", e.Name, e.Origin)
			}
			if e.Secret && e.Value != "" && e.Value != config.Masked {
				t.Errorf("%s is shown", e.Name)
			}
		}
	})
}
