package main

import (
	"context"
	"os"

	"golang.org/x/term"

	"github.com/cinchapi/concourse-users/host"
)

type start struct {
	home string
	settings
}

func (*start) Synopsis() string { return "Run the host, in the foreground" }

func (*start) Help() string {
	return `Usage: concourse start [options]

  Runs the host until SIGINT or SIGTERM. Settings come from concourse.yaml in
  the home, from CONCOURSE_* variables and from options, in rising order;
  'concourse config' shows the outcome.

  Exits 0 once it has stopped as asked, 2 if it was told something that cannot
  be, 7 if the plugin or its store does not come up, 10 if a newer release wrote
  the store, and 1 otherwise, as where another process holds the home.`
}

func (v *start) Options(o *options) {
	o.homeOption(&v.home)
	v.settings.define(o)
}

func (v *start) Run(ctx context.Context, c *console) error {
	h, err := findHome(v.home)
	if err != nil {
		return err
	}
	return refused(host.Run(ctx, host.Options{
		Home: h.Path(), Env: os.Environ(), Flags: v.given,
		Out: os.Stdout, Terminal: term.IsTerminal(int(os.Stdout.Fd())), Log: os.Stderr,
	}))
}
