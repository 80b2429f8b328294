// Package bolt is the embedded users.Store: one bbolt file, held by one
// process at a time. It owns the file's layout, the lock, the grouping of
// commits, and the order in which changes become known.
//
// It knows keys and bytes only; what an account is, and every rule about one,
// is the business of plugin/users. It never serves a network.
//
// It upholds rule 1 of the design (nothing is answered, read or watched before
// it is on disk) and its part of rules 2 and 7 (transactions are serializable,
// because they run one after another) and 11 (keys are read one by one).
package bolt
