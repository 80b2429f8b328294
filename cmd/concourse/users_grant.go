package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

type usersGrant struct {
	change
	permission  account.Permission
	environment string
}

func (*usersGrant) Synopsis() string { return "Grant a permission in an environment" }

func (*usersGrant) Help() string {
	return `Usage: concourse users grant [options] [<username>]

  Adds a permission in one environment, the host's default one if none is
  named. WRITE includes READ. Granting again what is held is no error.`
}

func (v *usersGrant) Options(o *options) {
	o.permissionOption(&v.permission)
	o.environmentOption(&v.environment, "in the environment `NAME`: ASCII letters, digits and _")
	v.define(o)
}

func (v *usersGrant) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "To which user do you want to grant a permission? ")
	if err != nil {
		return err
	}
	if v.permission == "" {
		if err := v.exists(ctx, h, name); err != nil {
			return err
		}
		if v.permission, err = c.permission(ctx, fmt.Sprintf("Permission for %s [READ|WRITE]: ", name)); err != nil {
			return err
		}
	}
	r, err := h.Grant(ctx, v.requestID, account.Grant{Username: name, Permission: v.permission, Environment: v.environment})
	if err != nil {
		return err
	}
	if !r.Changed {
		return c.change(r, fmt.Sprintf("User '%s' holds %s in %s already; nothing was changed", r.Username, v.permission, r.Environment))
	}
	return c.change(r, fmt.Sprintf("Successfully granted %s in %s to %s", v.permission, r.Environment, r.Username))
}
