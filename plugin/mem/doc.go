// Package mem keeps a users store in memory: the shortest correct Store, to
// read before writing another, and the one that tests of other packages use.
//
// It upholds everything that users.Store asks for but durability (rule 1): its
// contents end with the process. It never writes a file.
package mem
