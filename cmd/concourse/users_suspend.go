package main

import (
	"context"
	"fmt"
)

type usersSuspend struct{ change }

func (*usersSuspend) Synopsis() string { return "Refuse an account's logins and end its sessions" }

func (*usersSuspend) Help() string {
	return `Usage: concourse users suspend [options] [<username>]

  Refuses the account's logins and ends its sessions at once, until 'concourse
  users enable'. Nobody suspends themselves, and the last enabled ADMIN stays.`
}

func (v *usersSuspend) Options(o *options) { v.define(o) }

func (v *usersSuspend) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "User to suspend: ")
	if err != nil {
		return err
	}
	r, err := h.Suspend(ctx, v.requestID, name)
	if err != nil {
		return err
	}
	if !r.Changed {
		return c.change(r, fmt.Sprintf("User '%s' is suspended already; nothing was changed", r.Username))
	}
	return c.change(r, fmt.Sprintf("User '%s' is suspended", r.Username))
}
