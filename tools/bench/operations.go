package main

// operation is a row of the table of what was measured.
type operation struct {
	what    string
	pattern string
	at      int    // which population is shown
	floor   string // what it stands beside
}

const (
	changeFloor = "two-hop call + commit + audit sync"
	hashFloor   = "hash + " + changeFloor
)

var operations = []operation{
	{"show one account", "Call/accounts=*", first, "a plain gRPC call"},
	{"create", "Create/accounts=*", first, hashFloor},
	{"create without its hash", "CreateWithoutHash/accounts=*", first, changeFloor},
	{"edit a role", "Edit/accounts=*", first, changeFloor},
	{"grant", "Grant/accounts=*", first, changeFloor},
	{"login", "Login/accounts=*", first, hashFloor},
	{"token check", "TokenCheck/sessions=*", last, "a map lookup under a read lock"},
	{"token check while sessions come and go", "TokenCheck/sessions=*/writers=1", last, "the lookup while entries come and go"},
	{"end one account's ten sessions", "EndSessions/sessions=*", last, "ten removals from a map"},
	{"`users sessions`", "ListSessions/sessions=*/format=table", second, "snapshot and sort"},
	{"`users sessions --format json`", "ListSessions/sessions=*/format=json", second, "snapshot and sort"},
	{"`users sessions`", "ListSessions/sessions=*/format=table", last, "snapshot and sort"},
	{"`users show`, end to end", "Command/accounts=*", first, "hello-world process + hash"},
	{"host start to first answer", "Start/accounts=*", first, "start of an empty plugin"},
	{"a small read through the relay, 1,000 a second", "Relay/rate=1000", last, "the same directly"},
	{"1 MiB through the relay", "RelayLarge", last, "the same directly"},
}

// rates are the rows of what many callers get through.
var rates = []operation{
	{"logins of 16 clients", "Logins/listener=client/callers=16", last, "the hash alone"},
	{"logins of 64 clients", "Logins/listener=client/callers=64", last, "the hash alone"},
	{"logins of an administrator's 16 programs", "Logins/listener=management/callers=16", last, "the hash alone"},
	{"logins of 16 drivers", "FrontLogins/callers=16", last, "the hash alone"},
	{"logins of 64 drivers", "FrontLogins/callers=64", last, "the hash alone"},
	{"small reads through the relay, 16 connections", "RelayThroughput/callers=16", last, "the same directly"},
	{"small reads through the relay, 64 connections", "RelayThroughput/callers=64", last, "the same directly"},
	{"the same through a process that only passes bytes on, 16 connections", "RelayThroughput/callers=16/through=passing", last, "the same directly"},
	{"the same through a process that only passes bytes on, 64 connections", "RelayThroughput/callers=64/through=passing", last, "the same directly"},
	{"creates without hashes, 16 callers", "Changes/callers=16", last, "one caller"},
	{"creates without hashes, 64 callers", "Changes/callers=64", last, "one caller"},
}

// floors are the rows of the floors, of those that are sums of others part by part.
var floors = []struct{ what, pattern, unit string }{
	{"one argon2id hash, 19 MiB, two passes", "Login/accounts=*", "hash-ns"},
	{"a plain gRPC call over a unix socket", "Call/accounts=*", "grpc-ns"},
	{"an empty go-plugin call, AutoMTLS", "Call/accounts=*", "go-plugin-ns"},
	{"an empty call to a process that makes an empty go-plugin call", "Grant/accounts=*", "two-hops-ns"},
	{"a commit: two writes of 4 KiB, each with fdatasync", "Grant/accounts=*", "commit-ns"},
	{"an append of 350 B to the audit log, with fdatasync", "Grant/accounts=*", "sync-ns"},
	{"a process that says hello", "Command/accounts=*", "hello-ns"},
	{"a small read directly from the data server's stand-in, 1,000 a second", "Relay/rate=1000", "floor-p50-ns"},
	{"the same through a process that only passes bytes on", "Relay/rate=1000", "passing-p50-ns"},
	{"the start of an empty plugin, AutoMTLS, to its first answer", "Start/accounts=*", "plugin-start-ns"},
}

// growing are the rows of the table of growth, by accounts where they say nothing
// else.
var growing = []struct{ what, pattern string }{
	{"show one account", "Call/accounts=*"},
	{"create", "Create/accounts=*"},
	{"create without its hash", "CreateWithoutHash/accounts=*"},
	{"edit a role", "Edit/accounts=*"},
	{"grant", "Grant/accounts=*"},
	{"login", "Login/accounts=*"},
	{"`users show`, end to end", "Command/accounts=*"},
	{"host start to first answer", "Start/accounts=*"},
	{"token check, by sessions", "TokenCheck/sessions=*"},
	{"token check while sessions come and go, by sessions", "TokenCheck/sessions=*/writers=1"},
	{"end one account's ten sessions, by sessions", "EndSessions/sessions=*"},
	{"`users sessions`, which prints them all, by sessions", "ListSessions/sessions=*/format=table"},
}
