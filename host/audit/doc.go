// Package audit is the host's append-only log of who did what: one JSON line
// for each login, refused login, administrative change and event in the host's
// and the plugin's life.
//
// It upholds design rule 12: Append returns when the line is on disk, lines
// written at once share one sync, and Reconcile adds, marked recovered, the
// lines that a crash cost, from the store's request records. Of rule 9 it
// keeps what it can see: it takes no field that could hold a secret, and its
// callers put none into Detail.
//
// It imports shared/account and the standard library, knows no network and no
// plugin, and decides nothing about who may do what: host/management and the
// supervisor hand it finished entries.
package audit
