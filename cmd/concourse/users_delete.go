package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

type usersDelete struct {
	change
	ifExists bool
}

func (*usersDelete) Synopsis() string { return "Delete an account for good" }

func (*usersDelete) Help() string {
	return `Usage: concourse users delete [options] [<username>]

  Deletes the account and ends its sessions. The last enabled ADMIN stays. Only
  if the name has to be asked for is there a question whether it is meant.`
}

func (v *usersDelete) Options(o *options) {
	o.boolOption(&v.ifExists, "if-exists", "no such account is no error")
	v.define(o)
}

func (v *usersDelete) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "User to delete: ")
	if err != nil {
		return err
	}
	if len(c.args) == 0 {
		err := v.exists(ctx, h, name)
		if err == nil {
			err = v.confirm(ctx, c, name)
		}
		if err != nil && !(v.ifExists && account.KindOf(err) == account.KindNotFound) {
			return err
		}
	}
	r, err := h.Delete(ctx, v.requestID, account.Delete{Username: name, IfExists: v.ifExists})
	if err != nil {
		return err
	}
	if !r.Changed {
		return c.change(r, fmt.Sprintf("A user named '%s' does not exist; nothing was changed", r.Username))
	}
	return c.change(r, fmt.Sprintf("The user named '%s' has been deleted", r.Username))
}

func (*usersDelete) confirm(ctx context.Context, c *console, name string) error {
	answer, err := c.prompt.line(ctx, question{fmt.Sprintf("Delete %s for good? [y/N] ", name), "the username as an argument"})
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return &account.Error{Kind: account.KindInterrupted, Subject: name, Message: fmt.Sprintf("the user named '%s' HAS NOT been deleted", name)}
}
