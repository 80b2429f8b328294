// Package etcdtest runs real etcd clusters for tests: the etcd server, built
// from its Go module as tools/etcd pins it, as processes of their own on this
// machine. Tests may kill, stop, restart and restore members, and cut, silence
// or slow down what clients and members say to each other.
//
// It fakes nothing, and knows neither the etcd backend nor its keys. No port is
// chosen ahead: a member listens on unix sockets in its own directory, and is
// reached through proxies of this process. It is imported by tests only.
package etcdtest
