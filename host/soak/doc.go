// Package soak holds the tests that load a running system for long: floods of
// logins, a hundred thousand sessions at rest, everybody logging in again after
// a restart, two thousand drivers at the front door. They judge what must stay
// flat or within a stated bound: memory, goroutines, descriptors, and the latency
// of an administrator's own commands beside an equal load of plain computation;
// and, at the front door, that nobody is let in whose token or grant was taken
// away, nobody is kept out who may come in, and no call is lost (rule 3).
//
// It is tests only, over real processes built as they are shipped. "make soak"
// runs them for long, "make test" for seconds.
package soak
