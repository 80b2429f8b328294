package main

import (
	"context"

	"github.com/cinchapi/concourse-users/host/management"
)

type operatorSessions struct {
	place
	filter management.SessionFilter
}

func (*operatorSessions) Synopsis() string { return "List the live sessions, as the host's operator" }

func (*operatorSessions) Help() string {
	return `Usage: concourse sessions [options]

  Lists every live session straight from the host, without an account and even
  when the plugin does not answer. For the owner of the home, and root.`
}

func (v *operatorSessions) Options(o *options) {
	filterOptions(o, &v.filter)
	v.define(o)
	o.formatOption()
}

func (v *operatorSessions) Run(ctx context.Context, c *console) error {
	h, err := v.dial(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	return sessionsListing.print(c, h.OperatorSessions(ctx, v.filter))
}
