// Package plugin is the SDK for authors of account backends in Go: Serve is the
// whole main function of an executable that the host starts as its plugin.
//
// It owns the life of that process: how it is told from one that a person
// started, how it logs, what it does about signals, that it dies with its host
// and leaves no core dump. It holds no rule about accounts (plugin/users does)
// and knows no store; how requests travel is shared/wire's business.
//
// It upholds rule 10 of the design (a plugin dies with the host) and its part
// of rule 9 (no secret in a core dump).
package plugin
