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

	flat   string        // another spelling of Name, accepted in the file
	derive func() string // computes a default that depends on the machine
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

var table = []Setting{
	{
		Name: "default_environment", Type: "name", Default: "default",
		Description: "the environment that a command means when it names none",
		set: func(c *Config, text string) error {
			c.DefaultEnvironment = text
			return account.CheckEnvironment(text)
		},
	}, {
		Name: "management.socket_group", Type: "group name or gid",
		Description: "the group whose members may reach the management socket; empty: the owner of the home only",
		set:         func(c *Config, text string) error { return setGroup(&c.Management, text) },
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
		Name: "init.root.password_file", Type: "path, relative to the home",
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
		set:         func(c *Config, text string) error { return setCount(&c.Audit.Keep, text) },
	}, {
		Name: "metrics.address", Type: "loopback address with a port",
		Description: "where Prometheus may scrape the host's metrics, such as 127.0.0.1:9717; port 0: a free one; empty: nowhere",
		set:         func(c *Config, text string) error { return setLoopback(&c.Metrics.Address, text) },
	}, {
		Name: "log.level", Type: "trace, debug, info, warn or error", Default: "info",
		Description: "the least serious line that is logged",
		set:         func(c *Config, text string) error { return setLevel(&c.Log.Level, text) },
	}, {
		Name: "log.format", Type: "text or json", Default: "text",
		Description: "how log lines look",
		set:         func(c *Config, text string) error { return setFormat(&c.Log.JSON, text) },
	},
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
