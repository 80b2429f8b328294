package main

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

type usersDisconnect struct {
	login
	session string
}

func (*usersDisconnect) Synopsis() string { return "End sessions, and leave the account as it is" }

func (*usersDisconnect) Help() string {
	return `Usage: concourse users disconnect [options] [<username>]

  Ends all sessions of the account, or the one that --session names. The account
  can log in again at once; 'concourse users suspend' prevents that.`
}

func (v *usersDisconnect) Options(o *options) {
	o.StringVar(&v.session, "session", "", "end only the session `ID`, as 'concourse users sessions' shows it")
	v.define(o)
}

func (v *usersDisconnect) Run(ctx context.Context, c *console) error {
	one := v.options.Changed("session")
	if one && len(c.args) > 0 {
		return account.Invalid("session", "a username and --session exclude each other")
	}
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	var ended uint64
	sentence := ""
	if one {
		ended, err = h.DisconnectSession(ctx, v.session)
		sentence = fmt.Sprintf("Session %s has been ended", v.session)
	} else {
		var name string
		if name, err = c.username(ctx, "User to disconnect: "); err != nil {
			return err
		}
		ended, err = h.DisconnectUser(ctx, name)
		sentence = fmt.Sprintf("Sessions of user '%s' that have been ended: %d", name, ended)
	}
	if err != nil {
		return err
	}
	if c.json {
		return notPrinted(writeJSON(c.out, map[string]uint64{"ended": ended}))
	}
	return c.say(sentence)
}
