// Package upstream is a stand-in for a Concourse data server, for tests: over
// TCP, in the server's own protocol, with its own tokens and transactions. It
// stores no data; what it is asked it answers by the type of the method, or with
// what a test has set. It records every message, and misbehaves when told to: it
// hangs, breaks off, talks garbage, forgets every token, dies and comes back.
//
// It checks tokens and transactions as the original does, and no permission: that
// is for the host before it. Nothing but tests serves it.
package upstream
