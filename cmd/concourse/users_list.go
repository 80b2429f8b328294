package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/posener/complete"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type usersList struct {
	login
	filter management.AccountFilter
}

func (*usersList) Synopsis() string { return "List the accounts" }

func (*usersList) Help() string {
	return `Usage: concourse users list [options]

  Lists the accounts by name: role, state, last login, live sessions, grants.
  Filters add up.`
}

func (v *usersList) Options(o *options) {
	o.Var(&parsed[account.Role]{&v.filter.Role, account.ParseRole}, "role", "only accounts of the `ROLE`: ADMIN or USER")
	o.values["role"] = complete.PredictSet(string(account.Admin), string(account.User))
	o.Var(&parsed[*bool]{&v.filter.Enabled, parseState}, "state", "only accounts in the `STATE`: enabled or suspended")
	o.values["state"] = complete.PredictSet(state(true), state(false))
	o.environmentOption(&v.filter.Environment, "only accounts that hold a grant in the environment `NAME`")
	o.Var(&parsed[time.Time]{&v.filter.LastLoginBefore, parseBefore}, "last-login-before", "only accounts that did not log in since the `DATE`, as 2026-11-20 or 90d, or never did")
	o.wideOption()
	v.define(o)
}

func (v *usersList) Run(ctx context.Context, c *console) error {
	h, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer h.Close()
	return accountsListing.print(c, h.List(ctx, v.filter))
}

var accountsListing = listing[management.ListedAccount]{
	// Grants come last, because the last column is not padded.
	columns: []column{
		{name: "USERNAME", half: true}, {name: "ROLE", rank: 1}, {name: "STATE", rank: 2}, {name: "LAST LOGIN", rank: 3},
		{name: "SESSIONS", rank: 4}, {name: "GRANTS", cut: true, rank: 5},
	},
	cells: func(d display, a management.ListedAccount) []string {
		return []string{
			a.Username, string(a.Role), state(a.Enabled), lastLogin(d, a.Account),
			strconv.FormatUint(a.Sessions, 10), strings.Join(grants(a.Grants), "; "),
		}
	},
	notable: func(a management.ListedAccount) string {
		if a.Enabled {
			return ""
		}
		return "STATE"
	},
	element: func(a management.ListedAccount) any { return newJSONAccount(a) },
}

func state(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "suspended"
}

func parseState(text string) (*bool, error) {
	for _, enabled := range []bool{true, false} {
		if strings.EqualFold(text, state(enabled)) {
			return &enabled, nil
		}
	}
	return nil, account.Invalid("state", "%q is not a state; use enabled or suspended", account.Printable(text))
}

// ages are the units of an age, each with how many of it are the most that may
// be asked for: a century.
var ages = map[byte]struct {
	unit time.Duration
	most int
}{
	'h': {time.Hour, 100 * 366 * 24},
	'd': {24 * time.Hour, 100 * 366},
	'w': {7 * 24 * time.Hour, 100 * 53},
}

// parseBefore reads a moment of the past: RFC 3339, a date, which begins at
// midnight in the reader's time zone, or an age. It refuses with Invalid.
func parseBefore(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	if end := len(text) - 1; end > 0 {
		n, err := strconv.ParseUint(text[:end], 10, 32)
		if age, ok := ages[text[end]]; ok && err == nil && int(n) <= age.most {
			return time.Now().Add(-time.Duration(n) * age.unit), nil
		}
	}
	return time.Time{}, account.Invalid("last-login-before",
		"%q is neither a date, such as 2026-11-20 or 2026-11-20T14:05:00Z, nor an age, such as 90d, 12h or 2w", account.Printable(text))
}

func lastLogin(d display, a account.Account) string { return cmp.Or(d.when(a.LastLoginAt), "never") }

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
