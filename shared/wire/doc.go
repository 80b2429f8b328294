// Package wire carries the contract over go-plugin and gRPC: the handshake, the
// adaptors between account.Users and the generated service on both sides, the
// conversions between domain types and protobuf, and the one table that maps
// error kinds to gRPC statuses and back.
//
// It decides nothing about accounts and keeps no state. Protobuf types stop
// here and at host/management; whatever arrives is checked for its shape before
// it becomes a domain type. Upholds design rules 9 (errors without a secret)
// and 10 (garbage from either side is refused).
package wire
