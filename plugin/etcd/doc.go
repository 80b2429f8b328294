// Package etcd is the distributed users.Store: the accounts that several hosts
// share, in a cluster of etcd 3.5.13 or newer. It owns the layout of the keys
// under its prefix, what follows when etcd does not answer a commit, and the
// limits on waiting for members that do not.
//
// It knows keys and bytes only; what an account is, and every rule about one,
// is the business of plugin/users. It never sends a password or a value to a
// log, and leaves clusters, their members and their users to their operators.
//
// It upholds rule 1 of the design (etcd answers a commit once a majority has it
// on disk) and its part of rules 2 and 7 (a commit compares every key that it
// read or writes; where its outcome is unknown, its function runs again and finds
// its own effect, or the commit can no longer be made), 5 (linearizable reads,
// and a stream that proves how far it is) and 11 (keys are read by their names).
package etcd
