// Package follow keeps the host's knowledge of accounts as good as its contact
// with the store (design rule 5): it follows the plugin's change stream, reads
// every live account again after a gap, and extends the lease with each
// heartbeat, from the moment before the heartbeat was asked for.
//
// It keeps no knowledge itself: that is the connection table's. It knows no
// process: when the stream breaks, it opens another and leaves restarts to the
// supervisor.
package follow
