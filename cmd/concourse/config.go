package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cinchapi/concourse-users/host/config"
)

type showConfig struct {
	home string
	settings
}

func (*showConfig) Synopsis() string { return "Show the host's settings and where each comes from" }

func (*showConfig) Help() string {
	return `Usage: concourse config [options]

  Shows the settings that 'concourse start' with the same options would have,
  and where each comes from: the default, a line of concourse.yaml in the home,
  a CONCOURSE_* variable, or an option. Secrets are masked.`
}

func (v *showConfig) Options(o *options) {
	o.homeOption(&v.home)
	o.formatOption()
	o.wideOption()
	v.settings.define(o)
}

func (v *showConfig) Run(_ context.Context, c *console) error {
	h, err := findHome(v.home)
	if err != nil {
		return err
	}
	loaded, warnings, err := config.Load(h.Path(), os.Environ(), v.given)
	if err != nil {
		return refused(err)
	}
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "WARNING: "+visible(w.String()))
	}
	all := loaded.Settings()
	for i := range all {
		all[i].Origin = v.origin(all[i])
	}
	return settingsListing.print(c, func(yield func([]config.Effective, error) bool) { yield(all, nil) })
}

type jsonSetting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

var settingsListing = listing[config.Effective]{
	columns: []column{{name: "SETTING"}, {name: "VALUE", cut: true}, {name: "ORIGIN", cut: true}},
	cells:   func(_ display, e config.Effective) []string { return []string{e.Name, e.Value, e.Origin} },
	element: func(e config.Effective) any { return jsonSetting{e.Name, e.Value, e.Origin} },
}
