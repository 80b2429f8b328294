package bolt

import "go.etcd.io/bbolt"

// WrapCommit lets f do every commit of s from now on. No Update may be under
// way.
func WrapCommit(s *Store, f func(commit, rollback func() error) error) {
	s.commit = func(tx *bbolt.Tx) error { return f(tx.Commit, tx.Rollback) }
}

// Queued returns how many updates wait for the committer.
func Queued(s *Store) int { return len(s.queue) }

// The bounds of a watcher's queue and of a group.
const (
	MaxUnread      = maxUnread
	MaxUnreadBytes = maxUnreadBytes
	MaxGroup       = maxGroup
)
