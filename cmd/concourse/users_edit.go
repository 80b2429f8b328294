package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type usersEdit struct {
	change
	set  secretOption
	role account.Role
}

func (*usersEdit) Synopsis() string { return "Change an account's role, password or both" }

func (*usersEdit) Help() string {
	return `Usage: concourse users edit [options] [<username>]

  Changes the role, the password, or both at once: together or not at all, the
  role first. A changed role, and a password even if it is the same, ends the
  account's sessions. If neither is given both are asked for, and an empty
  answer keeps what is there.`
}

func (v *usersEdit) Options(o *options) {
	o.roleOption(&v.role)
	o.secretOption(&v.set, "set-password", "the account's new")
	v.define(o)
}

func (v *usersEdit) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	name, err := c.username(ctx, "Which user do you want to edit? ")
	if err != nil {
		return err
	}
	r := account.Edit{Username: name, Role: v.role}
	unchanged := fmt.Sprintf("user '%s' HAS NOT been modified", name)
	if v.set.asks(c) && (v.set.given() || v.role == "") {
		if err := v.exists(ctx, h, name); err != nil {
			return err
		}
	}
	asks, instead := !v.set.given() && v.role == "", "--set-role, "+v.set.flags()
	if asks {
		q := question{fmt.Sprintf("Role for %s [ADMIN|USER, Enter to keep]: ", name), instead}
		if r.Role, err = choose(ctx, c.prompt, q, roleOrKeep); err != nil {
			return err
		}
	}
	var result management.Result
	err = v.set.insist(c, func() (err error) {
		switch {
		case v.set.given():
			r.Password, err = v.set.readNew(ctx, c, fmt.Sprintf("New password for %s: ", name), unchanged)
		case asks:
			r.Password, err = c.prompt.newPasswordOrKeep(ctx, question{fmt.Sprintf("New password for %s [keep]: ", name), instead}, unchanged)
		}
		if err != nil || r.Role == "" && r.Password == nil {
			return err
		}
		result, err = h.Edit(ctx, v.requestID, r)
		return err
	})
	if err != nil {
		return err
	}
	if r.Role == "" && r.Password == nil {
		shown, err := h.Show(ctx, name)
		if err != nil {
			return err
		}
		return c.unchanged(shown, "Nothing to change")
	}
	if !result.Changed {
		return c.change(result, fmt.Sprintf("User '%s' has the role %s already; nothing was changed", result.Username, r.Role))
	}
	const passwordSet = "Successfully set the user's password"
	switch {
	case r.Password == nil:
		return c.change(result, fmt.Sprintf("Successfully set the user's role to %s", r.Role))
	case r.Role == "":
		return c.change(result, passwordSet)
	}
	// The password is a change in itself: whether the role was another before is
	// not said.
	return c.change(result, fmt.Sprintf("The user's role is %s", r.Role), passwordSet)
}

func roleOrKeep(answer string) (account.Role, error) {
	if answer == "" {
		return "", nil
	}
	return account.ParseRole(answer)
}
