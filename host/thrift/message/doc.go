// Package message reads messages of Thrift's binary protocol without
// understanding them: where each begins and ends, what it is called, and where
// its top fields lie, so that a gateway can look at a few of them, put others in
// their places, and pass all else through byte for byte.
//
// Everything that it reads may be hostile. A message is bounded in bytes, in
// depth and in top fields; memory grows with what has arrived, never with what
// was announced. It decides nothing and writes no answers: those are Thrift's own
// library's.
package message
