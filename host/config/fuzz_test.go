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
		"client_port: 1717\nupstream: db:1718\n", "upstream:\n  address: db:1718\n  username: front\n  password: x\nupstream.max_connections: 0\n", "upstream: [db]\n",
		"client: {address: '', tls: {certificate: c}}\nmanagement: {port: auto, tls: {key: k}}\n", "management_port: off\nclient.max_message: 3GiB\n",
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
		if c.Lease < time.Second || c.Audit.MaxSize < 64<<10 || c.Audit.Keep < 0 || c.Init.Username == "" || !bounded(c) {
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

// bounded reports whether what is said of the client port, the upstream and the
// management port can be done.
func bounded(c *config.Config) bool {
	return c.Client.MaxConnections > 0 && c.Client.MaxMessage >= 64<<10 && c.Client.FirstByte > 0 &&
		(c.Client.TLS.Certificate == "") == (c.Client.TLS.Key == "") &&
		c.Upstream.MaxConnections > 0 && c.Upstream.ReplyTimeout > 0 &&
		(c.Upstream.Address == "" || c.Upstream.Username != "" && (c.Upstream.Password == nil) != (c.Upstream.PasswordFile == "")) &&
		c.Management.Port >= config.PortAuto && c.Management.Port < 1<<16 &&
		(c.Management.Port != config.PortAuto || c.Client.Address != "")
}
