package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/config"
)

// home returns a home whose settings file holds the text.
func home(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func load(t *testing.T, home string, env []string, flags map[string]string) (*config.Config, []config.Warning) {
	t.Helper()
	c, warnings, err := config.Load(home, env, flags)
	if err != nil {
		t.Fatal(err)
	}
	return c, warnings
}

// origins maps each setting to "value (origin)".
func origins(c *config.Config) map[string]string {
	all := map[string]string{}
	for _, e := range c.Settings() {
		all[e.Name] = e.Value + " (" + e.Origin + ")"
	}
	return all
}

func TestLoadDefaults(t *testing.T) {
	c, warnings := load(t, t.TempDir(), nil, nil)
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	exe, err = filepath.EvalSymlinks(exe)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		DefaultEnvironment: "default",
		Client: config.Client{
			Address: "localhost:1717", MaxConnections: 10000, MaxMessage: 100 << 20, FirstByte: 10 * time.Second,
		},
		Upstream:   config.Upstream{MaxConnections: 256, ReplyTimeout: 5 * time.Minute},
		Management: config.Management{SocketGID: -1, Port: config.PortOff},
		Plugin: config.Plugin{
			Path: "concourse-users-bolt", Directory: filepath.Join(filepath.Dir(exe), "plugins"),
			AutoMTLS: true, StartTimeout: 10 * time.Second, Settings: map[string]string{},
		},
		Init:        config.Init{Username: "admin"},
		Session:     config.Session{IdleTimeout: 24 * time.Hour},
		Lease:       10 * time.Second,
		LeaseWait:   5 * time.Second,
		CallTimeout: 30 * time.Second,
		Audit:       config.Audit{MaxSize: 64 << 20, Keep: 10},
		Log:         config.Log{Level: hclog.Info},
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "effective" }, cmp.Ignore())
	if diff := cmp.Diff(want, *c, ignore); diff != "" {
		t.Error(diff)
	}
	for _, e := range c.Settings() {
		if e.Origin != "default" {
			t.Errorf("%s comes from %s", e.Name, e.Origin)
		}
	}
}

func TestLoadRisingOrder(t *testing.T) {
	dir := home(t, "lease: 1s\nlease_wait: 1s\nplugin:\n  settings: {path: a, keep: b}\ncall_timeout: 1s\n")
	c, _ := load(t, dir,
		[]string{"CONCOURSE_LEASE=2s", "CONCOURSE_LEASE_WAIT=2s", "HOME=/x"},
		map[string]string{"lease": "3s", "plugin.settings.path": "c"})
	got := origins(c)
	for name, want := range map[string]string{
		"lease":                "3s (--lease)",
		"lease_wait":           "2s (CONCOURSE_LEASE_WAIT)",
		"call_timeout":         "1s (concourse.yaml:5)",
		"plugin.settings.path": "c (--plugin-settings)",
		"plugin.settings.keep": "b (concourse.yaml:4)",
		"log.level":            "info (default)",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if c.Lease != 3*time.Second || c.LeaseWait != 2*time.Second || c.CallTimeout != time.Second {
		t.Errorf("typed values differ from those shown: %+v", c)
	}
	if diff := cmp.Diff(map[string]string{"path": "c", "keep": "b"}, c.Plugin.Settings); diff != "" {
		t.Error(diff)
	}
}

func TestLoadSpellings(t *testing.T) {
	for name, text := range map[string]string{
		"nested": "init:\n  root:\n    username: boss\nmanagement:\n  socket_group: 12\naudit: {keep: 0}\n",
		"dotted": "init.root.username: boss\nmanagement.socket_group: '12'\naudit.keep: 0\n",
		"mixed":  "init:\n  root.username: boss\nmanagement.socket_group: 12\naudit.keep: 0\n",
		"flat":   "init_root_username: boss\ninit: {root: {username: boss}}\nmanagement: {socket_group: 12}\naudit:\n  keep: 0\nplugin:\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := load(t, home(t, text), nil, nil)
			if c.Init.Username != "boss" || c.Management.SocketGID != 12 || c.Audit.Keep != 0 {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestLoadEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "audit:\n", "~\n"} {
		if c, _ := load(t, home(t, text), nil, nil); c.Lease != 10*time.Second {
			t.Errorf("%q: lease is %s", text, c.Lease)
		}
	}
}

func TestLoadSecrets(t *testing.T) {
	const password = "open,Sesame"
	dir := home(t, "init_root_password: "+password+"\nplugin.settings.etcd_password: "+password+
		"\nplugin.settings.endpoints: \"https://h1:2379,https://root:"+password+"@h2:2379\"\nplugin.settings.path: users.db\nplugin.settings.password.min_length: \"12\"\n")
	if err := os.Chmod(filepath.Join(dir, config.File), 0o640); err != nil {
		t.Fatal(err)
	}
	c, warnings := load(t, dir, nil, nil)
	if string(c.Init.Password) != password || c.Plugin.Settings["etcd_password"] != password {
		t.Error("the secrets did not arrive")
	}
	got := origins(c)
	for name, want := range map[string]string{
		"init.root.password":                  "**** (concourse.yaml:1)",
		"plugin.settings.etcd_password":       "**** (concourse.yaml:2)",
		"plugin.settings.endpoints":           "**** (concourse.yaml:3)",
		"plugin.settings.path":                "users.db (concourse.yaml:4)",
		"plugin.settings.password.min_length": "12 (concourse.yaml:5)",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	want := []config.Warning{{Origin: filepath.Join(dir, config.File), Message: "holds a password, and others may read it; run chmod 600"}}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
}

func TestLoadUnknownVariables(t *testing.T) {
	_, warnings := load(t, t.TempDir(), []string{
		"CONCOURSE_HOME=/x", "CONCOURSE_USERNAME=a", "CONCOURSE_PASSWORD=b", "CONCOURSE_SOCKET_OWNER=c", "CONCOURSELEASE=1",
		"CONCOURSE_LEASSE=1", "CONCOURSE_PLUGIN_SETTINGS_PATH=x", "CONCOURSE_WEATHER=fine",
	}, nil)
	var got []string
	for _, w := range warnings {
		got = append(got, w.String())
	}
	want := []string{
		"CONCOURSE_LEASSE: unknown variable, ignored; did you mean CONCOURSE_LEASE?",
		"CONCOURSE_PLUGIN_SETTINGS_PATH: unknown variable, ignored; set plugin.settings in concourse.yaml or by a flag",
		"CONCOURSE_WEATHER: unknown variable, ignored",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadMetricsAddress(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:9717", "127.8.9.1:0", "[::1]:9717", "localhost:65535"} {
		c, _ := load(t, t.TempDir(), []string{"CONCOURSE_METRICS_ADDRESS=" + address}, nil)
		if c.Metrics.Address != address {
			t.Errorf("%q came out as %q", address, c.Metrics.Address)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for name, row := range map[string]struct {
		file  string
		env   []string
		flags map[string]string
		want  string // FILE stands for the file's path
	}{
		"unknown": {file: "leese: 1s\n", want: `FILE:1: unknown setting "leese"; did you mean lease?`},
		"unknown section": {file: "managment:\n  socket_group: x\n",
			want: `FILE:1: unknown setting "managment"; did you mean management?`},
		"unknown in a section": {file: "plugin:\n  auto_mtl: true\n",
			want: `FILE:2: unknown setting "plugin.auto_mtl"; did you mean plugin.auto_mtls?`},
		"section forgotten": {file: "socket_group: x\n",
			want: `FILE:1: unknown setting "socket_group"; did you mean management.socket_group?`},
		"nothing near": {file: "colour: blue\n",
			want: `FILE:1: unknown setting "colour"; "concourse config" lists them all`},
		"control characters": {file: "\"a\\nb\": 1\n",
			want: `FILE:1: unknown setting "a\\u000ab"; "concourse config" lists them all`},
		"twice": {file: "lease: 1s\nlog.level: info\nlease: 1s\n",
			want: `FILE:3: lease is given twice, first on line 1`},
		"section twice": {file: "log: {level: info}\nlog: {format: text}\n",
			want: `FILE:2: log is given twice, first on line 1`},
		"dotted and nested": {file: "log: {level: info}\nlog.level: info\n",
			want: `FILE:2: log.level is given twice, first on line 1`},
		"flat and nested differ": {file: "init_root_password: one\ninit: {root: {password: two}}\n",
			want: `FILE:2: init.root.password is given twice, with another value at concourse.yaml:1`},
		"no value": {file: "lease:\ninit_root_password:\n",
			want: "FILE:1: lease has no value; write one, or remove the line for the default, 10s\n" +
				"FILE:2: init_root_password has no value; write one, or remove the line"},
		"list": {file: "lease: [1s]\nplugin: {settings: {endpoints: [a, b]}}\n",
			want: "FILE:1: lease must be a single value\nFILE:2: plugin.settings.endpoints must be a single value"},
		"section is a value": {file: "log: info\n", want: `FILE:1: log must be a mapping of settings`},
		"not a mapping":      {file: "- lease\n", want: `FILE:1: must be a mapping of settings, such as "lease: 10s"`},
		"no space":           {file: "init_root_password:secret\n", want: `FILE:1: must be a mapping of settings, such as "lease: 10s"`},
		"two documents":      {file: "lease: 1s\n---\nlease: 2s\n", want: `FILE:2: a second document begins here; keep one`},
		"not YAML":           {file: "lease: 1s\nlog: {level: info\n", want: `FILE:3: is not YAML: did not find expected ',' or '}'`},
		"tab":                {file: "log:\n\tlevel: info\n", want: `FILE:2: is not YAML: found character that cannot start any token`},
		"password as alias":  {file: "init_root_password: *secret\n", want: `FILE:1: is not YAML: a value that starts with &, * or ! must stand in quotes`},
		"password as anchor": {file: "init_root_password: &secret\n", want: `FILE:1: init_root_password: a value that starts with &, * or ! must stand in quotes`},
		"password as tag":    {file: "init_root_password: !secret\n", want: `FILE:1: init_root_password: a value that starts with &, * or ! must stand in quotes`},
		"merge":              {file: "<<: {lease: 1s}\n", want: `FILE:1: a key must be a setting's name`},
		"too large":          {file: strings.Repeat("#", 1<<20) + "\n", want: `FILE: is larger than 1 MiB`},

		"duration without unit": {file: "lease: 10\n", want: `FILE:1: lease: "10" is not a duration; use a number and a unit, such as 500ms, 10s, 5m or 24h`},
		"duration too short":    {file: "lease: 500ms\n", want: `FILE:1: lease: "500ms" is too short; use at least 1s`},
		"timeout too short":     {file: "call_timeout: 900ms\n", want: `FILE:1: call_timeout: "900ms" is too short; use at least 1s`},
		"duration negative":     {file: "session.absolute_timeout: -1h\n", want: `FILE:1: session.absolute_timeout: "-1h" is too short; use 0, or at least 1s`},
		"boolean":               {file: "plugin.auto_mtls: yes\n", want: `FILE:1: plugin.auto_mtls: "yes" is not a boolean; use true or false`},
		"size":                  {file: "audit.max_size: 64MB\n", want: `FILE:1: audit.max_size: "64MB" is not a size; use a number of bytes, or one with KiB, MiB or GiB, such as 64MiB`},
		"size too large":        {file: "audit.max_size: 9999999999999GiB\n", want: `FILE:1: audit.max_size: "9999999999999GiB" is not a size; use a number of bytes, or one with KiB, MiB or GiB, such as 64MiB`},
		"size too small":        {file: "audit.max_size: 1KiB\n", want: `FILE:1: audit.max_size: "1KiB" is too small; use at least 64KiB`},
		"number":                {file: "audit.keep: -1\n", want: `FILE:1: audit.keep: "-1" is not a number; use 0 or more`},
		"digest":                {file: "plugin.sha256: abc\n", want: `FILE:1: plugin.sha256: "abc" is not a SHA-256; use 64 hexadecimal digits, as sha256sum prints`},
		"relative executable":   {file: "plugin.path: bin/users\n", want: `FILE:1: plugin.path: "bin/users" is not an absolute path`},
		"no executable":         {file: "plugin.path: ''\n", want: `FILE:1: plugin.path: "" names no executable; use a name such as concourse-users-bolt, or an absolute path`},
		"group":                 {file: "management.socket_group: no-such-group\n", want: `FILE:1: management.socket_group: "no-such-group" is not a group of this machine; use the name of one that exists, or a gid`},
		"environment":           {file: "default_environment: my-env\n", want: `FILE:1: default_environment: "my-env" is not an environment's name; use ASCII letters, digits and _, for example "myenv"`},
		"username":              {file: "init.root.username: a b\n", want: `FILE:1: init.root.username: a username must not contain white space`},
		"level":                 {file: "log.level: loud\n", want: `FILE:1: log.level: "loud" is not a level; use trace, debug, info, warn or error`},
		"format":                {file: "log.format: xml\n", want: `FILE:1: log.format: "xml" is not a format; use text or json`},
		"every interface":       {file: "metrics.address: 0.0.0.0:9717\n", want: `FILE:1: metrics.address: "0.0.0.0" is not a loopback address, and others are not served; use 127.0.0.1, [::1] or localhost with a port, such as 127.0.0.1:9717`},
		"another's name":        {file: "metrics.address: example.com:9717\n", want: `FILE:1: metrics.address: "example.com" is not a loopback address, and others are not served; use 127.0.0.1, [::1] or localhost with a port, such as 127.0.0.1:9717`},
		"no host":               {file: "metrics.address: :9717\n", want: `FILE:1: metrics.address: "" is not a loopback address, and others are not served; use 127.0.0.1, [::1] or localhost with a port, such as 127.0.0.1:9717`},
		"no port":               {file: "metrics.address: localhost\n", want: `FILE:1: metrics.address: "localhost" is not an address with a port; use 127.0.0.1, [::1] or localhost with a port, such as 127.0.0.1:9717`},
		"port too high":         {file: "metrics.address: 127.0.0.1:65536\n", want: `FILE:1: metrics.address: "65536" is not a port; use a number up to 65535`},
		"outdone": {file: "lease: 10\n", env: []string{"CONCOURSE_LEASE=10s"},
			want: `FILE:1: lease: "10" is not a duration; use a number and a unit, such as 500ms, 10s, 5m or 24h`},
		"variable": {env: []string{"CONCOURSE_LOG_LEVEL=loud"},
			want: `CONCOURSE_LOG_LEVEL: log.level: "loud" is not a level; use trace, debug, info, warn or error`},
		"flag": {flags: map[string]string{"log.level": "loud", "nope": "1"},
			want: "--nope: is not a setting\n" + `--log-level: log.level: "loud" is not a level; use trace, debug, info, warn or error`},
		"two first passwords": {file: "init.root.password_file: first\n", env: []string{"CONCOURSE_INIT_ROOT_PASSWORD=secret"},
			want: `FILE:1: init.root.password_file and init.root.password exclude each other`},
		"password too long": {env: []string{"CONCOURSE_INIT_ROOT_PASSWORD=" + strings.Repeat("secret", 200)},
			want: `CONCOURSE_INIT_ROOT_PASSWORD: init.root.password: a password may have at most 1024 bytes, this one has 1200`},
		"several": {file: "leese: 1s\nlog:\n  level: loud\n  formt: json\n",
			want: "FILE:1: unknown setting \"leese\"; did you mean lease?\n" +
				"FILE:3: log.level: \"loud\" is not a level; use trace, debug, info, warn or error\n" +
				`FILE:4: unknown setting "log.formt"; did you mean log.format?`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := home(t, row.file)
			c, _, err := config.Load(dir, row.env, row.flags)
			if err == nil {
				t.Fatalf("accepted: %+v", c)
			}
			if _, ok := errors.AsType[*config.Problems](err); !ok {
				t.Errorf("the error is a %T", err)
			}
			got := strings.ReplaceAll(err.Error(), filepath.Join(dir, config.File), "FILE")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(got, "secret") {
				t.Error("the error shows a secret")
			}
		})
	}
}

func TestLoadManyProblems(t *testing.T) {
	_, _, err := config.Load(home(t, "a:\n"+strings.Repeat("? [x]\n", 99)), nil, nil)
	if err == nil || strings.Count(err.Error(), "\n") != 20 || !strings.HasSuffix(err.Error(), "\nand 80 more") {
		t.Errorf("got %v", err)
	}
}

// A file of the greatest size is read in little time, whatever its keys are.
func TestLoadLargeFile(t *testing.T) {
	var known, unknown strings.Builder
	for i := 0; known.Len() < 1<<20-64; i++ {
		fmt.Fprintf(&known, "plugin.settings.k%d: 1\n", i)
	}
	for i := 0; unknown.Len() < 1<<20-64; i++ {
		fmt.Fprintf(&unknown, "k%d:\n", i)
	}
	started := time.Now()
	load(t, home(t, known.String()), nil, nil)
	if _, _, err := config.Load(home(t, unknown.String()), nil, nil); err == nil {
		t.Error("accepted unknown keys")
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestLoadWritableByAll(t *testing.T) {
	dir := home(t, "lease: 1s\n")
	path := filepath.Join(dir, config.File)
	if err := os.Chmod(path, 0o602); err != nil {
		t.Fatal(err)
	}
	_, _, err := config.Load(dir, nil, nil)
	if want := path + ": everybody may write to it; run chmod o-w"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLoadDirectoryInPlaceOfFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, config.File)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	_, _, err := config.Load(dir, nil, nil)
	if want := path + ": is not a file"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
