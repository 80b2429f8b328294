// Package management is the door for administrators' tools: the gRPC services
// Management and Operator on a unix socket in the home, and the client that the
// command line uses. It knows who is at the other end of a connection by the
// kernel's word, ties a session to its connection, and turns messages into
// calls of the gate and answers into messages.
//
// It decides nothing: who may call, what a change ends and what is written
// down is the gate's; what an operator may see without an account is the one
// exception, and rests on the peer's uid. Upholds design rule 9 towards the
// socket. There is no TCP listener.
package management
