package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type usersList struct{ login }

func (*usersList) Synopsis() string { return "List the accounts" }

func (*usersList) Help() string {
	return `Usage: concourse users list [options]

  Lists every account by name: role, state, last login, live sessions, grants.`
}

func (v *usersList) Options(o *options) { v.define(o) }

func (v *usersList) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	return accountsListing.print(c, h.List(ctx))
}

var accountsListing = listing[management.ListedAccount]{
	// Grants come last, because the last column is not padded.
	columns: []string{"USERNAME", "ROLE", "STATE", "LAST LOGIN", "SESSIONS", "GRANTS"},
	cells: func(a management.ListedAccount) []string {
		return []string{
			a.Username, string(a.Role), state(a.Enabled), lastLogin(a.Account),
			strconv.FormatUint(a.Sessions, 10), strings.Join(grants(a.Grants), "; "),
		}
	},
	element: func(a management.ListedAccount) any { return newJSONAccount(a) },
}

func state(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "suspended"
}

func lastLogin(a account.Account) string { return cmp.Or(when(a.LastLoginAt), "never") }

// grants returns one text for each environment, by name.
func grants(g account.Grants) []string {
	var all []string
	for _, environment := range slices.Sorted(maps.Keys(g)) {
		var held []string
		for _, p := range g[environment] {
			held = append(held, string(p))
		}
		all = append(all, fmt.Sprintf("%s in %s", strings.Join(held, ", "), environment))
	}
	return all
}
