// Package credentialstest writes credentials files of the Java original, for the
// tests of what reads them: as the original writes them, and with what its faults
// have left in some. It is never part of an executable.
package credentialstest
