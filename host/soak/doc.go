// Package soak holds the tests that load a running system for long: floods of
// logins, a hundred thousand sessions at rest, everybody logging in again after
// a restart. They judge what must stay flat or within a stated bound: memory,
// goroutines, descriptors, and the latency of an administrator's own commands
// beside an equal load of plain computation.
//
// It is tests only, over real processes built as they are shipped. "make soak"
// runs them for long, "make test" for seconds.
package soak
