package main

import (
	"context"
	"fmt"
)

type usersEnable struct{ change }

func (*usersEnable) Synopsis() string { return "Let a suspended account log in again" }

func (*usersEnable) Help() string {
	return `Usage: concourse users enable [options] [<username>]

  Undoes 'concourse users suspend'.`
}

func (v *usersEnable) Options(o *options) { v.define(o) }

func (v *usersEnable) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "User to enable: ")
	if err != nil {
		return err
	}
	r, err := h.Enable(ctx, v.requestID, name)
	if err != nil {
		return err
	}
	if !r.Changed {
		return c.change(r, fmt.Sprintf("User '%s' is enabled already; nothing was changed", r.Username))
	}
	return c.change(r, fmt.Sprintf("User '%s' is enabled", r.Username))
}
