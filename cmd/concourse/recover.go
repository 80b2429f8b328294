package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type recoverAccount struct {
	offline
	set secretOption
}

func (*recoverAccount) Synopsis() string {
	return "Get an administrator back in, while the host is stopped"
}

func (*recoverAccount) Help() string {
	return `Usage: concourse recover [options] [<username>]

  Sets the password of an account that exists, makes it an ADMIN and enables it,
  without asking for a login. The host must be stopped: its home is taken, and
  its plugin started with the settings that 'concourse start' with the same
  options would have. For the owner of the home; root goes on as that user. The
  audit log tells of it.`
}

func (v *recoverAccount) Options(o *options) {
	o.secretOption(&v.set, "set-password", "the account's new")
	o.generateOption(&v.set)
	o.noInputOption()
	o.formatOption()
	v.define(o)
}

func (v *recoverAccount) Run(ctx context.Context, c *console) error {
	asks, name := v.set.asks(c), ""
	askName := func() (err error) {
		name, err = c.username(ctx, "User to recover: ")
		return err
	}
	// Nobody is asked while a host has the home, but on standard input a name
	// stands before a password, which is read before the home is opened.
	inputs := v.set.given() && !asks
	if len(c.args) > 0 || inputs || c.prompt.refused {
		if err := askName(); err != nil {
			return err
		}
	}
	read := func(ctx context.Context) (account.Secret, error) {
		return v.set.readNew(ctx, c, fmt.Sprintf("New password for %s: ", name), fmt.Sprintf("'%s' HAS NOT been recovered", name))
	}
	var password account.Secret
	if !asks { // root may read a file that the home's owner may not
		var err error
		if password, err = read(ctx); err != nil {
			return err
		}
	}
	f, err := v.open(ctx, false)
	if err != nil {
		return err
	}
	defer f.Close()
	if name == "" {
		if err := askName(); err != nil {
			return err
		}
	}
	var change account.Change
	err = v.set.insist(c, func() (err error) {
		change, err = f.Recover(ctx, name, func(ctx context.Context) (_ account.Secret, err error) {
			if asks {
				password, err = read(ctx)
			}
			return password, err
		})
		return err
	})
	if err != nil {
		return v.set.uncertain(c, name, password, err)
	}
	r := management.Result{ListedAccount: management.ListedAccount{Account: change.Account}, Changed: change.Changed}
	return v.set.report(c, r, password, fmt.Sprintf("'%s' is an enabled ADMIN with the new password", r.Username))
}
