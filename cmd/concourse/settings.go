package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/posener/complete"

	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/shared/account"
)

// settings are the host's settings that were given as options: one for each
// row of config's table, and --set for any of them by its name in the file.
type settings struct {
	given map[string]string
	bySet map[string]bool // those of given that --set gave
}

func (s *settings) define(o *options) {
	s.given, s.bySet = map[string]string{}, map[string]bool{}
	o.Var(settingPair{s, ""}, "set", "any setting, as `NAME=VALUE`, by its name in the file; may be repeated")
	var names []string
	for _, row := range config.Settings() {
		usage := row.Description
		if row.Choices != nil && row.Type != "boolean" { // a description says what those mean
			usage += "; " + row.Type
		}
		if row.Secret {
			usage += "; it shows in process lists"
		}
		if row.Default != "" {
			usage += " (default " + row.Default + ")"
		}
		if row.Env() == "" {
			names = append(names, row.Name+".")
			o.Var(settingPair{s, row.Name + "."}, row.Flag(), usage+", as `NAME=VALUE`; may be repeated")
			continue
		}
		o.Var(settingValue{s, row.Name}, row.Flag(), usage)
		o.anything[row.Flag()] = true
		names = append(names, row.Name+"=")
		if row.Choices != nil {
			o.values[row.Flag()] = complete.PredictSet(row.Choices...)
		}
	}
	o.values["set"] = complete.PredictSet(names...)
}

// hide takes the options out of the help of a command that is about something
// else, all but --set.
func (s *settings) hide(o *options) {
	for _, row := range config.Settings() {
		o.Lookup(row.Flag()).Hidden = true
	}
}

func (s *settings) give(name, text string, bySet bool) {
	s.given[name], s.bySet[name] = text, bySet
}

// origin is where a setting is from, as the options were written.
func (s *settings) origin(e config.Effective) string {
	if s.bySet[e.Name] {
		return "--set " + e.Name
	}
	return e.Origin
}

// settingValue is an option that sets one setting; config checks the value.
type settingValue struct {
	to   *settings
	name string
}

func (settingValue) String() string { return "" }
func (settingValue) Type() string   { return "VALUE" }
func (v settingValue) Set(text string) error {
	v.to.give(v.name, text, false)
	return nil
}

// settingPair is an option whose value names what it sets, after the prefix.
type settingPair struct {
	to     *settings
	prefix string
}

func (settingPair) String() string { return "" }
func (settingPair) Type() string   { return "" }
func (p settingPair) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("it wants NAME=VALUE")
	}
	if name = p.prefix + name; !isSetting(name) {
		return fmt.Errorf("%q is not a setting; 'concourse config' lists them all", account.Printable(name))
	}
	p.to.give(name, value, p.prefix == "")
	return nil
}

// isSetting knows the keys of config's table, and leaves those that are the
// plugin's to the plugin. The file's flat spelling is good here too.
func isSetting(name string) bool {
	return slices.ContainsFunc(config.Settings(), func(row config.Setting) bool {
		if row.Env() == "" {
			return strings.HasPrefix(name, row.Name+".")
		}
		return name == row.Name || name == strings.ReplaceAll(row.Name, ".", "_")
	})
}

// refused makes what config found wrong a usage error, a line for each problem.
func refused(err error) error {
	if problems, ok := errors.AsType[*config.Problems](err); ok {
		return account.Invalid("settings", "%v", problems)
	}
	return err
}
