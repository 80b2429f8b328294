// Package relay passes clients' calls that the gate has let in on to the data
// server behind this host, its upstream, and the answers back, byte for byte but
// for the access tokens in them: a client never sees an upstream's token, and the
// upstream never sees a client's.
//
// It keeps, for each session that has called, one login upstream and the
// transactions that it has open, which are bound to the session and the
// environment that staged them. It upholds the last part of rule 3: what a session
// had open is aborted when the session ends, its last connection closes, or its
// account loses the right.
//
// It never decides who may call what; that is host/gate's. How a call comes in,
// and how a refusal goes out, is host/thrift's.
package relay
