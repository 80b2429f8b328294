package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

type usersCheckPassword struct {
	login
	check secretOption
}

func (*usersCheckPassword) Synopsis() string { return "Say whether a password is an account's" }

func (*usersCheckPassword) Help() string {
	return `Usage: concourse users check-password [options] [<username>]

  Exits 0 if the password is the account's and 13 if it is not, and changes
  nothing.`
}

func (v *usersCheckPassword) Options(o *options) {
	o.secretOption(&v.check, "check-password", "the account's supposed")
	v.define(o)
}

func (v *usersCheckPassword) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "User whose password to check: ")
	if err != nil {
		return err
	}
	if v.check.asks(c) {
		if _, err := h.Show(ctx, name); err != nil {
			return err
		}
	}
	q := question{fmt.Sprintf("Password to check for %s: ", name), v.check.flags()}
	var password account.Secret
	if v.check.given() {
		password, err = v.check.read(ctx, c, q)
	} else {
		password, err = c.prompt.hidden(ctx, q)
	}
	if err != nil {
		return err
	}
	matches, err := h.CheckPassword(ctx, account.Password{Username: name, Password: password})
	if err != nil {
		return err
	}
	verdict := "matches"
	if !matches {
		verdict, c.code = "does not match", exitMismatch
	}
	if c.json {
		return notPrinted(writeJSON(c.out, struct {
			Username string `json:"username"`
			Matches  bool   `json:"matches"`
		}{name, matches}))
	}
	return c.say(fmt.Sprintf("The password %s", verdict))
}
