// Package clients is a listener for Concourse's clients as tests need one: calls
// of net/rpc over a unix socket, where each client says by itself from which
// address it comes. Logins and token checks are the gate's and the table's own,
// as behind any other listener; a session ends with the connection that opened
// it.
//
// It checks nothing of who connects, so nothing but tests serves it.
package clients
