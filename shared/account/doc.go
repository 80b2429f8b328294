// Package account holds the nouns of the project: what an account, a grant, a
// session row and an invocation are, which names are acceptable, the closed
// list of error kinds, and the Users interface that every backend serves.
//
// It knows no process, no socket, no store and no terminal, and imports only
// the standard library and golang.org/x/text, so that a backend author can
// read it alone. What an account may do to another is decided in plugin/users;
// how these types travel is decided in shared/wire.
package account
