// Package methods knows every method of Concourse's Thrift services as a gateway
// must know it: which of its arguments are the access token, the transaction and
// the environment, what a caller needs, and under which numbers a refusal may go
// out. It is a table, methods.tsv, and nothing else; what the methods do is the
// server's.
package methods
