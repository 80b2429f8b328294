package config

import (
	"cmp"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// given is one value as it was written, and where.
type given struct {
	name   string // in the table's spelling
	text   string
	origin string // as Effective shows it
	place  string // as a Problem shows it
}

// Load reads the settings of a home. env is as from os.Environ; flags holds
// what was given on the command line, by the settings' names ("lease",
// "plugin.settings.path"). It refuses with Problems, all of them at once. A
// home without a settings file is fine.
func Load(home string, env []string, flags map[string]string) (*Config, []Warning, error) {
	var problems Problems
	values := map[string][]given{} // of each setting, in rising order
	take := func(all []given) {
		for _, g := range all {
			values[g.name] = append(values[g.name], g)
		}
	}
	path := filepath.Join(home, File)
	inFile, warnings := fromFile(path, &problems)
	take(inFile)
	inEnv, unknown := fromEnv(env)
	take(inEnv)
	take(fromFlags(flags, &problems))

	c := &Config{}
	for _, s := range table {
		if s.Name == pluginSettings {
			c.addPluginSettings(values)
			continue
		}
		// A value that a later one outdoes is checked all the same.
		all := values[s.Name]
		if len(all) == 0 {
			all = []given{s.byDefault()}
		}
		for _, g := range all {
			if err := s.set(c, g.text); err != nil {
				problems.add(g.place, "%s: %v", s.Name, err)
			}
		}
		c.show(all[len(all)-1], s.Secret)
	}
	c.checkTogether(values, &problems)
	if len(problems.all) > 0 {
		return nil, nil, &problems
	}
	return c, append(warnings, unknown...), nil
}

func (s Setting) byDefault() given {
	g := given{name: s.Name, text: s.Default, origin: "default", place: "default"}
	if s.derive != nil {
		g.text = s.derive()
	}
	return g
}

func (c *Config) addPluginSettings(values map[string][]given) {
	c.Plugin.Settings = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if key, ok := strings.CutPrefix(name, pluginSettings+"."); ok {
			last := values[name][len(values[name])-1]
			c.Plugin.Settings[key] = last.text
			c.show(last, secretKey(key, last.text))
		}
	}
	if len(c.Plugin.Settings) == 0 {
		c.show(given{name: pluginSettings, origin: "default"}, false)
	}
}

func (c *Config) show(g given, secret bool) {
	if secret && g.text != "" {
		g.text = Masked
	}
	c.effective = append(c.effective, Effective{Name: g.name, Value: g.text, Origin: g.origin, Secret: secret})
}

// secretKey guesses whether a plugin's own setting is a secret: by its name, or
// as an address with a password in it. What stands under "password." is the
// policy for passwords.
func secretKey(key, text string) bool {
	key = strings.TrimPrefix(strings.ToLower(key), "password.")
	for _, word := range []string{"password", "passphrase", "secret", "token", "credential"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return addressWithPassword.MatchString(text)
}

var addressWithPassword = regexp.MustCompile(`://[^/\s]*:[^/\s]*@`)

// reserved are the variables of the client, which are no settings.
var reserved = []string{"CONCOURSE_HOME", "CONCOURSE_USERNAME", "CONCOURSE_PASSWORD", "CONCOURSE_SOCKET_OWNER"}

func fromEnv(env []string) (all []given, warnings []Warning) {
	names := map[string]string{}
	for _, s := range table {
		if s.Env() != "" {
			names[s.Env()] = s.Name
		}
	}
	for _, pair := range env {
		variable, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(variable, "CONCOURSE_") || slices.Contains(reserved, variable) {
			continue
		}
		if name, ok := names[variable]; ok {
			all = append(all, given{name: name, text: text, origin: variable, place: variable})
			continue
		}
		warnings = append(warnings, unknownVariable(variable, slices.Collect(maps.Keys(names))))
	}
	slices.SortFunc(warnings, func(a, b Warning) int { return cmp.Compare(a.Origin, b.Origin) })
	return all, warnings
}

func unknownVariable(variable string, known []string) Warning {
	w := Warning{Origin: account.Printable(variable), Message: "unknown variable, ignored"}
	if strings.HasPrefix(variable, "CONCOURSE_PLUGIN_SETTINGS") {
		w.Message += "; set plugin.settings in " + File + " or by a flag"
	} else if n := nearest(variable, known); n != "" {
		w.Message += "; did you mean " + n + "?"
	}
	return w
}

func fromFlags(flags map[string]string, problems *Problems) (all []given) {
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		s, canonical, ok := find(name)
		if !ok || name == pluginSettings {
			problems.add("--"+account.Printable(name), "is not a setting")
			continue
		}
		all = append(all, given{name: canonical, text: s.text(name, flags[name]), origin: "--" + s.Flag(), place: "--" + s.Flag()})
	}
	return all
}
