package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

var sessionsListing = listing[account.Session]{
	title: "Current User Sessions:",
	columns: []column{
		{name: "USERNAME", last: true, half: true}, {name: "ROLE", rank: 6}, {name: "SESSION"}, {name: "ADDRESS", cut: true, rank: 1},
		{name: "LISTENER", rank: 9}, {name: "CLIENT", sparse: true, cut: true, rank: 8},
		{name: "ENVIRONMENT", sparse: true, cut: true, rank: 4}, {name: "CONNECTED SINCE", rank: 2}, {name: "CALLS", rank: 3},
		{name: "CURRENT CALL", sparse: true, cut: true, rank: 5}, {name: "OPEN TRANSACTIONS", sparse: true, cut: true, rank: 7},
		{name: "NOTE", sparse: true, cut: true, rank: 7},
	},
	cells: func(d display, s account.Session) []string {
		var open []string
		for _, t := range s.OpenTransactions {
			open = append(open, fmt.Sprintf("%s since %s", t.ID, d.when(t.Since)))
		}
		return []string{
			s.Username, string(s.Role), s.ID, s.RemoteAddress, string(s.Listener), s.Client, s.Environment,
			d.when(s.ConnectedSince), strconv.FormatUint(s.Calls, 10), running(d, s.CurrentCall), strings.Join(open, ", "), s.Note,
		}
	},
	element: func(s account.Session) any { return newJSONSession(s) },
}

// running says since when, unless the call has only just begun.
func running(d display, c *account.Call) string {
	if c == nil {
		return ""
	}
	if age := time.Since(c.Since); age >= 0 && age < 2*time.Second {
		return c.Method
	}
	return fmt.Sprintf("%s since %s", c.Method, d.when(c.Since))
}

// countsListing shows how many sessions have which value of a key.
func countsListing(by session.Key) listing[session.Count] {
	return listing[session.Count]{
		columns: []column{{name: strings.ToUpper(by.String()), cut: true}, {name: "SESSIONS"}},
		cells: func(_ display, c session.Count) []string {
			return []string{c.Value, strconv.FormatUint(c.Sessions, 10)}
		},
		element: func(c session.Count) any { return map[string]any{by.String(): c.Value, "sessions": c.Sessions} },
	}
}
