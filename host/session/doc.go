// Package session holds the connection table: which tokens are good, whose they
// are, what the host knows of those accounts, which logins are under way, and
// how long all of that may be trusted.
//
// It is a pure data structure. It never touches a network, a store or a
// terminal, starts no goroutine, and knows no rule about accounts; what it is
// told, the host tells it. It upholds rules 3 (Revoke), 4 (Login), 5 (Heartbeat,
// Resync, Apply) and 11 (every single operation takes the same time at any
// number of sessions), and rule 9 for tokens. Rows for a listing go to
// host/management, which sends them through the plugin.
package session
