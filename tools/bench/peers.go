package main

import (
	"cmp"
	"fmt"
	"slices"
)

// contest is one operation that peers have too.
type contest struct {
	what    string
	callers int
	ours    string // the pattern of our benchmark
	etcd    string // the peers' names for it
	pg      string
}

var contests = []contest{
	{"create with a password", 1, "Create/accounts=*", "UserAdd", "CreateRolePassword"},
	{"create without", 1, "CreateWithoutHash/accounts=*", "UserAddNoPassword", "CreateRole"},
	{"create without", 16, "Changes/callers=16", "UserAddNoPassword", "CreateRole"},
	{"create without", 64, "Changes/callers=64", "UserAddNoPassword", "CreateRole"},
	{"login", 1, "Login/accounts=*", "Authenticate", "Connect"},
	{"login", 16, "Logins/listener=client/callers=16", "Authenticate", "Connect"},
	{"login", 64, "Logins/listener=client/callers=64", "Authenticate", "Connect"},
}

// standing is how one of us did in a contest.
type standing struct {
	Who       string  `json:"who"`
	P50       float64 `json:"p50_ns"`
	P99       float64 `json:"p99_ns"`
	PerSecond float64 `json:"per_second"`
}

// compared is a contest and how it ended. Of peers only those that were
// measured are in it.
type compared struct {
	What      string     `json:"what"`
	Callers   int        `json:"callers"`
	Standings []standing `json:"standings"` // the fastest first
	Missing   []string   `json:"missing,omitempty"`
}

const us = "Concourse"

func (c contest) hold(m *measured) (compared, error) {
	all := compared{What: c.what, Callers: c.callers}
	ours, err := m.find(c.ours, first)
	if err != nil {
		return compared{}, err
	}
	if err := all.add(us, ours); err != nil {
		return compared{}, err
	}
	for _, peer := range []struct{ who, name, op string }{{"etcd", "etcd", c.etcd}, {"PostgreSQL", "postgres", c.pg}} {
		r := m.byName[fmt.Sprintf("Peer/peer=%s/op=%s/callers=%d", peer.name, peer.op, c.callers)]
		if r == nil {
			all.Missing = append(all.Missing, peer.who)
			continue
		}
		if err := all.add(peer.who, r); err != nil {
			return compared{}, err
		}
	}
	slices.SortStableFunc(all.Standings, func(a, b standing) int { return cmp.Compare(b.PerSecond, a.PerSecond) })
	return all, nil
}

// add takes the rate of a single caller from its median, if none is told.
func (c *compared) add(who string, r *result) error {
	p50, err := r.metric("p50-ns")
	if err != nil {
		return err
	}
	p99, err := r.metric("p99-ns")
	if err != nil {
		return err
	}
	rate, ok := r.Metrics["per-s"]
	if !ok {
		rate = 1e9 / p50
	}
	c.Standings = append(c.Standings, standing{who, p50, p99, rate})
	return nil
}

// verdict says plainly who wins.
func (c compared) verdict() string {
	if len(c.Standings) == 1 {
		return "nobody else was measured"
	}
	a, b := c.Standings[0], c.Standings[1]
	return fmt.Sprintf("%s, %s %s", a.Who, times(a.PerSecond/b.PerSecond), b.Who)
}

// of returns one's standing, if it was measured.
func (c compared) of(who string) (standing, bool) {
	for _, s := range c.Standings {
		if s.Who == who {
			return s, true
		}
	}
	return standing{}, false
}
