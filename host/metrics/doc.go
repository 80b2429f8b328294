// Package metrics is what Prometheus may know of a host, and the HTTP server,
// at a loopback address, that it asks.
//
// The other parts of the host know nothing of it: they call hooks that host
// wires to a Metrics, or keep figures of their own that a scrape reads. A scrape
// asks no plugin and no store, so it is answered whatever those do. Its labels
// are closed lists: no username, no address and no text of a caller or of a
// plugin becomes a label (rule 9), and the number of series does not grow with
// accounts or sessions (rule 11).
//
// Whoever reaches the address need not say who they are; so no other address
// than a loopback one is served, and what one asks too much is refused.
package metrics
