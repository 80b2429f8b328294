// Package credentials reads the credentials file of the Java original: a Java
// object stream (Java Object Serialization Specification, version 2, chapter 6)
// of a Guava HashBasedTable from account ids and columns to values.
//
// It is strict: a file is read as a whole or refused, with the place of the
// first fault and what was expected there. It is bounded in size, depth and
// number of values, whatever the stream says, and makes nothing by a class's
// name: a stream becomes plain values, and only those that make up a table of
// accounts are looked at. No error quotes a hash (design rule 9).
//
// Which names and roles can be taken over is not decided here; cmd/concourse
// does that.
package credentials
