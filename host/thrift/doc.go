// Package thrift listens for Concourse's clients, which speak Thrift's binary
// protocol, and for tools that speak the original's management service. It reads
// messages, answers login, logout and what administrators may change, has host/gate
// decide about every other call, and hands what was let in to host/relay.
//
// It knows how a refusal must look so that the drivers, old ones included, take it
// for what it is. It upholds rule 9 for what clients are told, and bounds what a
// connection may cost. It never decides who may do what (host/gate), and never
// talks to a data server (host/relay).
package thrift
