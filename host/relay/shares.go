package relay

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// shares keeps one account from holding all connections to the upstream, by calls
// that take long or by reading slowly, while the others wait.
type shares struct {
	most int // calls of one account at once

	mu      sync.Mutex // guards what follows, which has nothing of who makes no call
	used    map[string]int
	waiting map[string][]chan struct{}
}

func (s *shares) init(most int) {
	s.most, s.used, s.waiting = most, map[string]int{}, map[string][]chan struct{}{}
}

// take lets a call of the account go on; done must follow. It waits so long for
// others of the account to end, and refuses with Unavailable.
func (s *shares) take(ctx context.Context, username string, within time.Duration) error {
	s.mu.Lock()
	if s.used[username] < s.most {
		s.used[username]++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{}, 1)
	s.waiting[username] = append(s.waiting[username], turn)
	s.mu.Unlock()

	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	case <-timeout.C:
	}
	if !s.leave(username, turn) { // too late: it came meanwhile
		s.done(username)
	}
	return account.Unavailable("the account '%s' has too many calls under way, %d at the data server; try again in a moment",
		account.Printable(username), s.most)
}

// leave takes back a wish for a turn; false if it has come.
func (s *shares) leave(username string, turn chan struct{}) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.waiting[username], turn)
	if at < 0 {
		return false
	}
	s.wait(username, slices.Delete(s.waiting[username], at, at+1))
	return true
}

// done passes the turn on to the account's call that has waited longest.
func (s *shares) done(username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next := s.waiting[username]; len(next) > 0 {
		next[0] <- struct{}{}
		s.wait(username, next[1:])
		return
	}
	if s.used[username]--; s.used[username] == 0 {
		delete(s.used, username)
	}
}

// wait says who waits now. mu is held.
func (s *shares) wait(username string, still []chan struct{}) {
	if len(still) == 0 {
		delete(s.waiting, username)
		return
	}
	s.waiting[username] = still
}

// mostStrangers is how many calls that take no token may be under way: anybody
// can make them.
const mostStrangers = 4

// passOpen passes on a call that takes no token. It refuses with Unavailable at
// once if there are too many.
func (r *Relay) passOpen(ctx context.Context, c *Call) error {
	if r.doors.leadBack() {
		return errItself
	}
	select {
	case r.strangers <- struct{}{}:
	default:
		return errStrangers
	}
	defer func() { <-r.strangers }()
	return r.pass(ctx, c, nil, nil, nil)
}

var errStrangers error = account.Unavailable("too many calls without an access token are under way; try again in a moment")
