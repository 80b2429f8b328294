package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type usersSessions struct {
	login
	filter management.SessionFilter
}

func (*usersSessions) Synopsis() string { return "List the live sessions" }

func (*usersSessions) Help() string {
	return `Usage: concourse users sessions [options]

  Lists every live session of this host, oldest first. Filters add up. The
  table leaves out columns in which there is nothing to show, connections and
  last activity; --format json has all. When the plugin does not answer,
  'concourse sessions' still does.`
}

func (v *usersSessions) Options(o *options) {
	filterOptions(o, &v.filter)
	v.define(o)
}

func (v *usersSessions) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	return sessionsListing.print(c, h.Sessions(ctx, v.filter))
}

func filterOptions(o *options, f *management.SessionFilter) {
	o.StringVar(&f.Account, "account", "", "only sessions of the account `NAME`")
	o.StringVar(&f.Address, "address", "", "only sessions from the `ADDRESS`, with or without a port")
	o.environmentOption(&f.Environment, "only sessions in the environment `NAME`")
}

var sessionsListing = listing[account.Session]{
	title: "Current User Sessions:",
	columns: []string{
		"USERNAME", "ROLE", "SESSION", "ADDRESS", "LISTENER", "CLIENT", "ENVIRONMENT", "CONNECTED SINCE", "CALLS",
		"CURRENT CALL", "OPEN TRANSACTIONS", "NOTE",
	},
	sparse: []string{"CLIENT", "ENVIRONMENT", "CURRENT CALL", "OPEN TRANSACTIONS", "NOTE"},
	cells: func(s account.Session) []string {
		var open []string
		for _, t := range s.OpenTransactions {
			open = append(open, fmt.Sprintf("%s since %s", t.ID, when(t.Since)))
		}
		return []string{
			s.Username, string(s.Role), s.ID, s.RemoteAddress, string(s.Listener), s.Client, s.Environment,
			when(s.ConnectedSince), strconv.FormatUint(s.Calls, 10), running(s.CurrentCall), strings.Join(open, ", "), s.Note,
		}
	},
	element: func(s account.Session) any { return newJSONSession(s) },
}

// running says since when, unless the call has only just begun.
func running(c *account.Call) string {
	if c == nil {
		return ""
	}
	if age := time.Since(c.Since); age >= 0 && age < 2*time.Second {
		return c.Method
	}
	return fmt.Sprintf("%s since %s", c.Method, when(c.Since))
}
