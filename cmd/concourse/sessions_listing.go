package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

var sessionsListing = listing[account.Session]{
	title: "Current User Sessions:",
	columns: []column{
		{name: "USERNAME", last: true, half: true}, {name: "ROLE", rank: 7}, {name: "SESSION"}, {name: "ADDRESS", cut: true, keep: 21, rank: 3},
		{name: "LISTENER", rank: 10}, {name: "CLIENT", sparse: true, cut: true, rank: 9},
		{name: "ENVIRONMENT", sparse: true, cut: true, keep: 16, rank: 4}, {name: "CONNECTED SINCE", rank: 5}, {name: "CONNECTIONS", sparse: true, rank: 8},
		{name: "CALLS", rank: 6}, {name: "CURRENT CALL", sparse: true, cut: true, keep: 28, rank: 2}, {name: "OPEN TRANSACTIONS", sparse: true, cut: true, rank: 1},
		{name: "NOTE", sparse: true, cut: true, rank: 8},
	},
	cells: func(d display, s account.Session) []string {
		return []string{
			s.Username, string(s.Role), s.ID, s.RemoteAddress, string(s.Listener), s.Client, s.Environment,
			d.when(s.ConnectedSince), connections(s), strconv.FormatUint(s.Calls, 10), running(d, s.CurrentCall), holding(d, s.OpenTransactions), s.Note,
		}
	},
	element: func(s account.Session) any { return newJSONSession(s) },
}

// connections is nothing for a session that lasts as long as its one connection.
func connections(s account.Session) string {
	if s.Listener == account.ManagementListener {
		return ""
	}
	return strconv.Itoa(s.Connections)
}

// running says for how long, unless the call has only just begun.
func running(d display, c *account.Call) string {
	if c == nil {
		return ""
	}
	if age := time.Since(c.Since); age >= 0 && age < 2*time.Second {
		return c.Method
	}
	if d.human { // what is cut is the name's end
		return humanAge(time.Since(c.Since)) + " in " + c.Method
	}
	return c.Method + " since " + d.when(c.Since)
}

// holding says for how long the oldest transaction has been open, how many are,
// and in which environments; where nothing is cut, which they are.
func holding(d display, open []account.Transaction) string {
	switch {
	case len(open) == 0:
		return ""
	case d.human && len(open) == 1:
		return humanAge(time.Since(open[0].Since)) + inEnvironments(open)
	case d.human: // what is cut is the environments' end
		return fmt.Sprintf("%s (%d)%s", humanAge(time.Since(open[0].Since)), len(open), inEnvironments(open))
	}
	var all []string
	for i, t := range open {
		all = append(all, t.ID+" since "+d.when(t.Since)+inEnvironments(open[i:i+1]))
	}
	return strings.Join(all, ", ")
}

// inEnvironments names each once, that of the oldest transaction first. A host of
// an earlier release tells none.
func inEnvironments(open []account.Transaction) string {
	var names []string
	for _, t := range open {
		if t.Environment != "" && !slices.Contains(names, t.Environment) {
			names = append(names, t.Environment)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " in " + strings.Join(names, ", ")
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
