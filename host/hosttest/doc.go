// Package hosttest runs a real host for tests: the real executables, built with
// the race detector, as processes of their own over a home of their own. Tests
// reach it as its users do, by the command line or the management socket, and
// may kill, stop and restart host and plugin.
//
// It fakes nothing and imports no plugin; other packages use it in tests only.
package hosttest
