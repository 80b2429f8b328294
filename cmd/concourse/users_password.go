package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type usersPassword struct {
	change
	set secretOption
}

func (*usersPassword) Synopsis() string { return "Set an account's password" }

func (*usersPassword) Help() string {
	return `Usage: concourse users password [options] [<username>]

  Sets the password and ends the account's sessions. A suspended account stays
  suspended. With --generate the new password is printed after it is set, and
  never again.`
}

func (v *usersPassword) Options(o *options) {
	o.secretOption(&v.set, "set-password", "the account's new")
	o.generateOption(&v.set)
	v.define(o)
}

func (v *usersPassword) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "Which user's password do you want to change? ")
	if err != nil {
		return err
	}
	if v.set.asks(c) {
		if err := v.exists(ctx, h, name); err != nil {
			return err
		}
	}
	var password account.Secret
	var r management.Result
	err = v.set.insist(c, func() (err error) {
		password, err = v.set.readNew(ctx, c, fmt.Sprintf("New password for %s: ", name),
			fmt.Sprintf("the password for user '%s' HAS NOT been modified", name))
		if err != nil {
			return err
		}
		r, err = h.Password(ctx, v.requestID, account.Password{Username: name, Password: password})
		return err
	})
	if err != nil {
		return v.set.uncertain(c, name, password, err)
	}
	return v.set.report(c, r, password, fmt.Sprintf("Password for user '%s' has been set", r.Username))
}
