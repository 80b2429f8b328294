package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

type usersRevoke struct {
	change
	environment string
}

func (*usersRevoke) Synopsis() string { return "Revoke all permissions in an environment" }

func (*usersRevoke) Help() string {
	return `Usage: concourse users revoke [options] [<username>]

  Takes away every permission in one environment, the host's default one if
  none is named. Other environments are untouched. An ADMIN's grants can be
  revoked, but the role still gives everything.`
}

func (v *usersRevoke) Options(o *options) {
	o.environmentOption(&v.environment, "in the environment `NAME`: ASCII letters, digits and _")
	v.define(o)
}

func (v *usersRevoke) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "From which user do you want to revoke permissions? ")
	if err != nil {
		return err
	}
	r, err := h.Revoke(ctx, v.requestID, account.Revoke{Username: name, Environment: v.environment})
	if err != nil {
		return err
	}
	if !r.Changed {
		return c.change(r, fmt.Sprintf("User '%s' has no permissions in %s; nothing was changed", r.Username, r.Environment))
	}
	return c.change(r, fmt.Sprintf("Successfully revoked all permissions for %s in %s", r.Username, r.Environment))
}
