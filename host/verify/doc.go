// Package verify runs the conformance suite against an executable as the host
// would run it: found, copied, pinned, started in a clean environment, over
// AutoMTLS. "concourse plugin verify" is its command, and Test is for the tests
// of whoever writes a backend.
//
// It holds no case (shared/conformance does) and knows nothing of how processes
// are started (host/supervisor does).
package verify
