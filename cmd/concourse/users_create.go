package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type usersCreate struct {
	change
	set         secretOption
	role        account.Role
	ifNotExists bool
}

func (*usersCreate) Synopsis() string { return "Create an account" }

func (*usersCreate) Help() string {
	return `Usage: concourse users create [options] [<username>]

  Creates an account, enabled and without grants. A name that is taken is
  refused, unless --if-not-exists is given: then nothing is changed, which is
  no error. What is missing is asked for. With --generate the new password is
  printed after the account is there, and never again.`
}

func (v *usersCreate) Options(o *options) {
	o.secretOption(&v.set, "set-password", "the new account's")
	o.generateOption(&v.set)
	o.roleOption(&v.role)
	o.boolOption(&v.ifNotExists, "if-not-exists", "leave an account of that name as it is")
	v.define(o)
}

func (v *usersCreate) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "Name for new user: ")
	if err != nil {
		return err
	}
	// A repeated request is answered from its record, whoever has the name now.
	if !v.set.given() && v.requestID.IsZero() {
		taken, err := h.Show(ctx, name)
		switch {
		case err == nil && v.ifNotExists:
			return v.report(c, management.Result{ListedAccount: taken}, nil)
		case err == nil:
			return account.AlreadyExists(taken.Username)
		case account.KindOf(err) != account.KindNotFound:
			return err
		}
	}
	var password account.Secret
	var r management.Result
	err = v.set.insist(c, func() (err error) {
		password, err = v.set.readNew(ctx, c, fmt.Sprintf("Password for %s: ", name), fmt.Sprintf("'%s' HAS NOT been created", name))
		if err != nil {
			return err
		}
		if v.role == "" {
			if v.role, err = c.role(ctx, fmt.Sprintf("Role for %s [ADMIN|USER]: ", name)); err != nil {
				return err
			}
		}
		r, err = h.Create(ctx, v.requestID, account.Create{Username: name, Password: password, Role: v.role, IfNotExists: v.ifNotExists})
		return err
	})
	if err != nil {
		return v.set.uncertain(c, name, password, err)
	}
	return v.report(c, r, password)
}

func (v *usersCreate) report(c *console, r management.Result, password account.Secret) error {
	if !r.Changed {
		return c.change(r, fmt.Sprintf("User '%s' already exists; nothing was changed", r.Username))
	}
	return v.set.report(c, r, password, fmt.Sprintf("New user '%s' has been created", r.Username))
}
