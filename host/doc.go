// Package host is the Concourse server's part that decides who may use it: a
// long-lived process that owns the connection table, supervises the users
// plugin, and lets administrators' tools in. This package only wires the parts
// together, in the order in which they start and stop; each part's own package
// says what it upholds.
//
// What only the operator may do, and only while the host is stopped, is here too:
// Offline takes the home and starts the plugin, and serves nobody.
//
// It knows no rule about accounts, and never imports a plugin.
package host
