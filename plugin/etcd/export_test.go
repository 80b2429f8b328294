package etcd

import (
	"math"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
)

// What a watcher leaves unread at most.
const (
	MaxUnread      = maxUnread
	MaxUnreadBytes = maxUnreadBytes
)

// AskForTheFuture asks for progress to a revision that is not reached.
func AskForTheFuture(of users.Watcher) {
	w := of.(*watcher)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted, w.since = math.MaxInt64, time.Now()
	signal(w.asked)
}

// SilentSince is when the stream was last heard.
func SilentSince(of users.Watcher) time.Time {
	w := of.(*watcher)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since
}
