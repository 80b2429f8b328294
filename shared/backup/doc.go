// Package backup is the form of a backup file: lines of JSON, of which the
// first says what was backed up and when, and the last how many entries there
// are and the SHA-256 sum of every byte before it. A file that was cut short,
// altered or added to is refused.
//
// The sum shows damage, not forgery: whoever can write the file can make
// another that is whole. The package knows no rule about accounts and not what
// an entry's value means, which is the backend's business, and it never holds
// more than one line. It imports the standard library only.
//
// Backends write and read it (plugin/users does for every Store); the host and
// the command line check it.
package backup
