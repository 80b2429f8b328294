package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// File is the name of the settings file in the home.
const File = "concourse.yaml"

// Masked stands for a secret's value in listings.
const Masked = "****"

// pluginSettings is the one setting that is a mapping: its keys are the
// plugin's own, and are not known here.
const pluginSettings = "plugin.settings"

// pluginSetting leaves the length to isPluginSetting: with a repetition that is
// bounded it takes a quarter of a millisecond to compile, in every command.
var pluginSetting = regexp.MustCompile(`^plugin\.settings\.[A-Za-z0-9_.-]+$`)

// mostPluginKey bounds a key of plugin.settings, in bytes.
const mostPluginKey = 128

func isPluginSetting(name string) bool {
	return len(name) <= len(pluginSettings)+len(".")+mostPluginKey && pluginSetting.MatchString(name)
}

// Setting describes one setting, for readers of every kind.
type Setting struct {
	Name        string // as in the file, dotted
	Type        string // what a value looks like
	Default     string
	Secret      bool
	Description string
	Choices     []string // values that Type names one by one; nil: none

	flat   string                   // another spelling of Name, accepted in the file
	spell  func(text string) string // turns what stands under flat into what would stand under Name; nil: they are alike
	derive func() string            // computes a default that depends on the machine
	set    func(c *Config, text string) error
}

// Env returns the variable that sets it, or "" for plugin.settings, whose keys
// a variable's name cannot spell.
func (s Setting) Env() string {
	if s.Name == pluginSettings {
		return ""
	}
	return "CONCOURSE_" + strings.ToUpper(strings.ReplaceAll(s.Name, ".", "_"))
}

// Flag returns the flag that sets it, without the leading hyphens.
func (s Setting) Flag() string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.Name)
}

// Settings returns the table, in the order in which it reads best.
func Settings() []Setting { return slices.Clone(table) }

const pathInHome = "path, relative to the home"

var table = []Setting{
	{
		Name: "default_environment", Type: "name", Default: "default",
		Description: "the environment that a command means when it names none",
		set: func(c *Config, text string) error {
			c.DefaultEnvironment = text
			return account.CheckEnvironment(text)
		},
	}, {
		Name: "client.address", Type: "address with a port", Default: "localhost:1717", flat: "client_port", spell: everyInterface,
		Description: "where Concourse drivers reach the host; :1717 is every interface; port 0: a free one; empty: nowhere",
		set:         func(c *Config, text string) error { return setListen(&c.Client.Address, text) },
	}, {
		Name: "client.tls.certificate", Type: pathInHome,
		Description: "the host's certificate for drivers, PEM, with what vouches for it behind it; read again when it changes; empty: no TLS",
		set:         func(c *Config, text string) error { c.Client.TLS.Certificate = text; return nil },
	}, {
		Name: "client.tls.key", Type: pathInHome,
		Description: "the key of client.tls.certificate, PEM",
		set:         func(c *Config, text string) error { c.Client.TLS.Key = text; return nil },
	}, {
		Name: "client.max_connections", Type: "number", Default: "10000",
		Description: "how many connections of drivers may be open at once",
		set:         func(c *Config, text string) error { return setCount(&c.Client.MaxConnections, text, 1) },
	}, {
		Name: "client.max_message", Type: "size", Default: "100MiB",
		Description: "how large one call of a driver may be",
		set:         func(c *Config, text string) error { return setMessage(&c.Client.MaxMessage, text) },
	}, {
		Name: "client.first_byte_timeout", Type: "duration", Default: "10s",
		Description: "how long a new connection may wait with its first call, and with every other until it has logged in or shown a good token",
		set:         func(c *Config, text string) error { return setDuration(&c.Client.FirstByte, text, shortest, false) },
	}, {
		Name: "upstream.address", Type: "address with a port", flat: "upstream",
		Description: "the data server that drivers' calls are passed on to; empty: there is none, and drivers can only log in",
		set:         func(c *Config, text string) error { return setDial(&c.Upstream.Address, text) },
	}, {
		Name: "upstream.username", Type: "name",
		Description: "the host's own account on the data server, an ADMIN there",
		set:         func(c *Config, text string) error { c.Upstream.Username = text; return nil },
	}, {
		Name: "upstream.password", Type: "text", Secret: true,
		Description: "that account's password",
		set:         func(c *Config, text string) error { return setPassword(&c.Upstream.Password, text) },
	}, {
		Name: "upstream.password_file", Type: pathInHome,
		Description: "a file whose first line is that password, in place of upstream.password; read at the start",
		set:         func(c *Config, text string) error { c.Upstream.PasswordFile = text; return nil },
	}, {
		Name: "upstream.max_connections", Type: "number", Default: "256",
		Description: "how many connections to the data server may be open at once; calls beyond wait for one",
		set:         func(c *Config, text string) error { return setCount(&c.Upstream.MaxConnections, text, 1) },
	}, {
		Name: "upstream.reply_timeout", Type: "duration", Default: "5m",
		Description: "how long the data server may be silent in the middle of a call before its outcome is unknown",
		set: func(c *Config, text string) error {
			return setDuration(&c.Upstream.ReplyTimeout, text, shortest, false)
		},
	}, {
		Name: "management.socket_group", Type: "group name or gid",
		Description: "the group whose members may reach the management socket; empty: the owner of the home only",
		set:         func(c *Config, text string) error { return setGroup(&c.Management, text) },
	}, {
		Name: "management.port", Type: "off, auto or a port", Default: "off", flat: "management_port",
		Choices:     []string{"off", "auto"},
		Description: "where tools of the original reach its management service, on loopback addresses only; auto: computed from the client port as the original does, 50878 for 1717; 0: a free one",
		set:         func(c *Config, text string) error { return setManagementPort(&c.Management.Port, text) },
	}, {
		Name: "management.tls.certificate", Type: pathInHome,
		Description: "the host's certificate on management.port, as client.tls.certificate",
		set:         func(c *Config, text string) error { c.Management.TLS.Certificate = text; return nil },
	}, {
		Name: "management.tls.key", Type: pathInHome,
		Description: "the key of management.tls.certificate, PEM",
		set:         func(c *Config, text string) error { c.Management.TLS.Key = text; return nil },
	}, {
		Name: "plugin.path", Type: "name or absolute path", Default: "concourse-users-bolt",
		Description: "the users plugin: the name of an executable in plugin.directory, or a path",
		set:         func(c *Config, text string) error { return setExecutable(&c.Plugin.Path, text) },
	}, {
		Name: "plugin.directory", Type: "absolute path", Default: `"plugins" beside the concourse executable`,
		Description: "where plugins are found by name", derive: PluginDirectory,
		set: func(c *Config, text string) error { return setAbsolute(&c.Plugin.Directory, text) },
	}, {
		Name: "plugin.sha256", Type: "64 hexadecimal digits",
		Description: "the only content that the plugin's executable may have; empty: any",
		set:         func(c *Config, text string) error { return setDigest(&c.Plugin.SHA256, text) },
	}, {
		Name: "plugin.auto_mtls", Type: "boolean", Default: "true",
		Choices:     []string{"true", "false"},
		Description: "whether host and plugin prove themselves to each other; false for runtimes whose TLS cannot",
		set:         func(c *Config, text string) error { return setBool(&c.Plugin.AutoMTLS, text) },
	}, {
		Name: "plugin.start_timeout", Type: "duration", Default: "10s",
		Description: "how long a plugin may take to come up",
		set:         func(c *Config, text string) error { return setDuration(&c.Plugin.StartTimeout, text, shortest, false) },
	}, {
		Name: pluginSettings, Type: "mapping of names to values",
		Description: "handed to the plugin as written; by the file and by flags only",
	}, {
		Name: "init.root.username", Type: "name", Default: "admin", flat: "init_root_username",
		Description: "the first ADMIN of an empty store",
		set:         func(c *Config, text string) error { return setUsername(&c.Init.Username, text) },
	}, {
		Name: "init.root.password", Type: "text", Secret: true, flat: "init_root_password",
		Description: "the first ADMIN's password; empty: a random one, written to a file in the home",
		set:         func(c *Config, text string) error { return setPassword(&c.Init.Password, text) },
	}, {
		Name: "init.root.password_file", Type: pathInHome,
		Description: "a file whose first line is the first ADMIN's password, in place of init.root.password; read when the store is empty",
		set:         func(c *Config, text string) error { c.Init.PasswordFile = text; return nil },
	}, {
		Name: "session.idle_timeout", Type: "duration", Default: "24h",
		Description: "how long a client session may rest before it ends",
		set:         func(c *Config, text string) error { return setDuration(&c.Session.IdleTimeout, text, second, false) },
	}, {
		Name: "session.absolute_timeout", Type: "duration", Default: "0",
		Description: "how long a client session may last at all; 0: as long as it is used",
		set:         func(c *Config, text string) error { return setDuration(&c.Session.AbsoluteTimeout, text, second, true) },
	}, {
		Name: "lease", Type: "duration", Default: "10s",
		Description: "how long the host trusts what it knows of accounts without hearing from the store",
		set:         func(c *Config, text string) error { return setDuration(&c.Lease, text, second, false) },
	}, {
		Name: "lease_wait", Type: "duration", Default: "5s",
		Description: "how long calls and logins wait past the lease before they get unavailable",
		set:         func(c *Config, text string) error { return setDuration(&c.LeaseWait, text, shortest, true) },
	}, {
		Name: "call_timeout", Type: "duration", Default: "30s",
		Description: "how long a change waits for a lost plugin to come back before its outcome is unknown",
		set:         func(c *Config, text string) error { return setDuration(&c.CallTimeout, text, second, false) },
	}, {
		Name: "audit.max_size", Type: "size", Default: "64MiB",
		Description: "the size at which the audit log begins a new file",
		set:         func(c *Config, text string) error { return setSize(&c.Audit.MaxSize, text, 64<<10) },
	}, {
		Name: "audit.keep", Type: "number", Default: "10",
		Description: "how many earlier files of the audit log are kept; 0: all",
		set:         func(c *Config, text string) error { return setCount(&c.Audit.Keep, text, 0) },
	}, {
		Name: "metrics.address", Type: "loopback address with a port",
		Description: "where Prometheus may scrape the host's metrics, such as 127.0.0.1:9717; port 0: a free one; empty: nowhere",
		set:         func(c *Config, text string) error { return setLoopback(&c.Metrics.Address, text) },
	}, {
		Name: "log.level", Type: "trace, debug, info, warn or error", Default: "info",
		Choices:     []string{"trace", "debug", "info", "warn", "error"},
		Description: "the least serious line that is logged",
		set:         func(c *Config, text string) error { return setLevel(&c.Log.Level, text) },
	}, {
		Name: "log.format", Type: "text or json", Default: "text",
		Choices:     []string{"text", "json"},
		Description: "how log lines look",
		set:         func(c *Config, text string) error { return setFormat(&c.Log.JSON, text) },
	},
}

// text returns what stands under a spelling of the setting's name as it would
// stand under the name itself.
func (s Setting) text(spelling, text string) string {
	if spelling == s.flat && s.spell != nil {
		return s.spell(text)
	}
	return text
}

// find returns the setting that a dotted name, in the file's spellings, means,
// and its name in the table's spelling. A key of plugin.settings keeps its own
// name and is found as plugin.settings.
func find(name string) (Setting, string, bool) {
	for _, s := range table {
		if name == s.Name || s.flat != "" && name == s.flat {
			return s, s.Name, true
		}
		if s.Name == pluginSettings && isPluginSetting(name) {
			return s, name, true
		}
	}
	return Setting{}, "", false
}

// sections holds what stands before the dots of settings' names.
var sections = func() map[string]bool {
	all := map[string]bool{}
	for _, s := range table {
		for i, r := range s.Name {
			if r == '.' {
				all[s.Name[:i]] = true
			}
		}
	}
	return all
}()
