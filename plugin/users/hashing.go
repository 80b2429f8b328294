package users

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// purpose divides those who hash: an administrator's work is never behind a
// flood of client logins.
type purpose int

const (
	management purpose = iota // management logins, and everything that administrators do
	client                    // logins of Concourse clients
)

// purposeOf puts a listener that it does not know among the clients.
func purposeOf(l account.Listener) purpose {
	if l == account.ManagementListener {
		return management
	}
	return client
}

// How many may wait for a slot, and how long.
const (
	mostManagementWaiting = 256
	mostClientsWaiting    = 1024
	longestWait           = 10 * time.Second // and at most half of the time that the caller has
)

// slots bounds how many hashes are computed at once: memory-hard hashing beyond
// the number of processors only gets slower. Who waits for management goes
// first, and so is behind one hash of a client at most. A slot that clients
// never held would cost them half of what two processors can do, in the very
// moment when all of them log in again.
type slots struct {
	all int // in number

	mu      sync.Mutex // guards the rest
	free    int
	waiting [client + 1]waiters // by purpose
}

// waiters is a line of channels, first come first served. Closing a channel
// hands over a slot.
type waiters struct {
	line list.List
	most int
}

func newSlots(n int) *slots {
	s := &slots{all: n, free: n}
	s.waiting[management].most = mostManagementWaiting
	s.waiting[client].most = mostClientsWaiting
	return s
}

// do computes in a slot. It refuses with Throttled if too many wait already or
// the wait is too long, and gives up with ctx.
func (s *slots) do(ctx context.Context, p purpose, compute func()) error {
	if err := s.acquire(ctx, p); err != nil {
		return err
	}
	defer s.release()
	compute()
	return nil
}

// load says how many slots are taken, and how many wait for one.
func (s *slots) load() *account.Load {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.waiting[management].line.Len() + s.waiting[client].line.Len()
	return &account.Load{Hashing: uint32(s.all - s.free), HashWaiting: uint32(waiting)}
}

func (s *slots) acquire(ctx context.Context, p purpose) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.takes() {
		s.mu.Unlock()
		return nil
	}
	w := &s.waiting[p]
	if w.line.Len() >= w.most {
		s.mu.Unlock()
		return account.Throttled(time.Second)
	}
	granted := make(chan struct{})
	place := w.line.PushBack(granted)
	s.mu.Unlock()

	patience := time.NewTimer(longestWaitIn(ctx))
	defer patience.Stop()
	var gaveUp error
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		gaveUp = ctx.Err()
	case <-patience.C:
		gaveUp = account.Throttled(time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-granted: // came together with the end of the wait: pass it on
		s.gives()
	default:
		w.line.Remove(place)
	}
	return gaveUp
}

// longestWaitIn leaves half of the caller's time for hashing and the answer, so
// that a host of short time-outs gets Throttled rather than nothing.
func longestWaitIn(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(longestWait, time.Until(end)/2)
	}
	return longestWait
}

// takes takes a free slot, if there is one. It needs mu.
func (s *slots) takes() bool {
	if s.free == 0 {
		return false
	}
	s.free--
	return true
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gives()
}

// gives gives a slot back, or to the first who waits. It needs mu.
func (s *slots) gives() {
	s.free++
	for _, p := range []purpose{management, client} {
		line := &s.waiting[p].line
		for line.Len() > 0 && s.takes() {
			close(line.Remove(line.Front()).(chan struct{}))
		}
	}
}
