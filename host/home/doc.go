// Package home is the directory that everything of one host lives in: where
// its files are, who may reach them, which process holds it, the host's own id
// and the file with the first administrator's password.
//
// It never reads settings and never opens a store, a socket or a log: host/config,
// host/management, host/supervisor and host/audit take their paths from here.
// It upholds design rule 1 for the files that it writes itself, which are
// synced with their directory, and rule 9: the password's file is 0600 from
// its first byte, and who holds the lock is told without arguments.
package home
