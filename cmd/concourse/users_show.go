package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/host/management"
)

type usersShow struct{ login }

func (*usersShow) Synopsis() string { return "Show one account" }

func (*usersShow) Help() string {
	return `Usage: concourse users show [options] [<username>]

  Shows an account: role, state, grants, times, and its live sessions on this
  host.`
}

func (v *usersShow) Options(o *options) { v.define(o) }

func (v *usersShow) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "User to show: ")
	if err != nil {
		return err
	}
	a, err := h.Show(ctx, name)
	if err != nil {
		return err
	}
	if c.json {
		return notPrinted(writeJSON(c.out, newJSONAccount(a)))
	}
	return c.say(describe(c.display, a)...)
}

func describe(d display, a management.ListedAccount) []string {
	lines := []string{
		"Username:     " + a.Username,
		"Role:         " + string(a.Role),
		"State:        " + state(a.Enabled),
		"Created:      " + cmp.Or(d.when(a.CreatedAt), "not known"),
		"Password set: " + cmp.Or(d.when(a.PasswordChangedAt), "not known"),
		"Last login:   " + lastLogin(d, a.Account),
		fmt.Sprintf("Sessions:     %d", a.Sessions),
	}
	heading := "Grants:       "
	for _, g := range grants(a.Grants) {
		lines = append(lines, heading+g)
		heading = "              "
	}
	if len(a.Grants) == 0 {
		lines = append(lines, heading+"none")
	}
	return lines
}
