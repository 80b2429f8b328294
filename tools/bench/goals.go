package main

import "fmt"

// goal is a bound on one figure.
type goal struct {
	what    string
	goal    string
	pattern string // of the benchmark
	at      int    // which of its populations counts: first or last
	unit    string
	most    float64 // the figure may be so large
	least   float64 // or must be so large, if that is not 0
	show    func(float64) string
}

const hashed = "≤ 1.15 × (a hash + an empty two-hop call + commit + audit sync)"

var goals = []goal{
	{"empty call through host and plugin", "≤ 3 × one plain gRPC call", "Call/accounts=*", first, "ratio", 3, 0, times},
	{"create without its hash", "≤ 1.5 × (an empty two-hop call + commit + audit sync)", "CreateWithoutHash/accounts=*", first, "ratio", 1.5, 0, times},
	{"create with its hash", hashed, "Create/accounts=*", first, "ratio", 1.15, 0, times},
	{"login, 1 caller", hashed, "Login/accounts=*", first, "ratio", 1.15, 0, times},
	{"logins/s of 16 clients", "≥ 0.85 × the hash alone", "Logins/listener=client/callers=16", last, "ratio", 0, 0.85, times},
	{"logins/s of 64 clients", "≥ 0.85 × the hash alone", "Logins/listener=client/callers=64", last, "ratio", 0, 0.85, times},
	{"logins/s of an administrator's 16 programs", "≥ 0.85 × the hash alone", "Logins/listener=management/callers=16", last, "ratio", 0, 0.85, times},
	{"changes/s at 64 callers, without hashes", "≥ 5 × one caller's", "Changes/callers=64", last, "ratio", 0, 5, times},
	{"token check", "≤ 1.5 × a map lookup under a read lock", "TokenCheck/sessions=*", last, "ratio", 1.5, 0, times},
	{"token check: allocations", "none", "TokenCheck/sessions=*", last, "allocs", 0, 0, count},
	{"token check while sessions come and go", "≤ 1.5 × the same at rest", "TokenCheck/sessions=*/writers=1", last, "again", 1.5, 0, times},
	{"end one account's sessions", "≤ 10 µs", "EndSessions/sessions=*", last, "p50-ns", 10e3, 0, duration},
	{"list sessions from the CLI", "≤ 10 × snapshot and sort", "ListSessions/sessions=*/format=table", last, "ratio", 10, 0, times},
	{"list sessions: memory of the command", "≤ 1.5 × that for 1,000", "ListSessions/sessions=*/format=table", last, "command-growth", 1.5, 0, times},
	{"list sessions: growth of the host", "≤ 32 MiB", "ListSessions/sessions=*/format=table", last, "host-growth-MiB", 32, 0, mebibytes},
	{"memory a session, ten to an account", "≤ 300 B", "Memory/sessions=*/each=10", last, "B/session", 300, 0, bytesOf},
	{"memory a session, one to an account", "≤ 300 B", "Memory/sessions=*/each=1", last, "B/session", 300, 0, bytesOf},
	{"create without its hash, growth", "≤ 3 × that at 1,000", "CreateWithoutHash/accounts=*", last, "growth", 3, 0, times},
	{"edit, growth", "≤ 3 × that at 1,000", "Edit/accounts=*", last, "growth", 3, 0, times},
	{"grant, growth", "≤ 3 × that at 1,000", "Grant/accounts=*", last, "growth", 3, 0, times},
	{"a CLI call that does nothing but log in", "≤ hello-world + hash + 8 ms", "Command/accounts=*", first, "over-ns", 8e6, 0, over},
	{"what the relay adds to a small read, 1,000 a second: median", "≤ 60 µs", "Relay/rate=1000", last, "added-p50-ns", 60e3, 0, duration},
	{"what the relay adds to a small read, 1,000 a second: p99", "≤ 300 µs", "Relay/rate=1000", last, "added-p99-ns", 300e3, 0, duration},
	{"small reads/s through the relay, 16 connections", "≥ 0.5 × the same directly", "RelayThroughput/callers=16", last, "ratio", 0, 0.5, times},
	{"small reads/s through the relay, 64 connections", "≥ 0.5 × the same directly", "RelayThroughput/callers=64", last, "ratio", 0, 0.5, times},
	{"memory a driver's connection at rest", "≤ 20 KiB", "FrontMemory/connections=*", last, "B/connection", 20 << 10, 0, bytesOf},
	{"memory a driver's session at rest, one upstream included", "≤ 1 KiB", "FrontMemory/sessions=*", last, "B/session", 1 << 10, 0, bytesOf},
	{"host start to first answered call", "≤ 1.5 × an empty AutoMTLS plugin's start", "Start/accounts=*", first, "ratio", 1.5, 0, times},
}

// judged is a goal and what was measured.
type judged struct {
	What      string  `json:"what"`
	Goal      string  `json:"goal"`
	Benchmark string  `json:"benchmark"`
	Unit      string  `json:"unit"`
	Value     float64 `json:"value"`
	Measured  string  `json:"measured"`
	Met       bool    `json:"met"`
}

func (g goal) judge(m *measured) (judged, error) {
	r, err := m.find(g.pattern, g.at)
	if err != nil {
		return judged{}, err
	}
	value, err := r.metric(g.unit)
	if err != nil {
		return judged{}, err
	}
	what := g.what
	if among := r.among(); among != "" {
		what += ", among " + among
	}
	met := value <= g.most
	if g.least > 0 {
		met = value >= g.least
	}
	return judged{what, g.goal, r.Name, g.unit, value, g.show(value), met}, nil
}

func (j judged) verdict() string {
	if j.Met {
		return "met"
	}
	return "missed"
}

// among says among how many accounts, sessions or connections was measured.
func (r *result) among() string {
	for _, kind := range populations {
		if r.parameter(kind) != "" {
			return grouped(r.population()) + " " + kind
		}
	}
	return ""
}

func over(ns float64) string { return fmt.Sprintf("%s more", duration(ns)) }
