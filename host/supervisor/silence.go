package supervisor

import (
	"sync"
	"time"
)

// silence measures for how long calls have waited while not one was answered.
// Time in which none waits does not count, so an idle plugin is not silent.
type silence struct {
	mu      sync.Mutex // guards the rest
	waiting int
	since   time.Time     // of the last answer, or of the first call after none waited
	earlier time.Duration // waited before, by calls that gave up
}

// asked is told of each call's beginning.
func (q *silence) asked() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 {
		q.since = time.Now()
	}
	q.waiting++
}

// done is told of each call's end, and whether it was answered. A call that may
// take as long as it likes is done for that time, and then asked again.
func (q *silence) done(answered bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting--
	switch {
	case answered:
		q.since, q.earlier = time.Now(), 0
	case q.waiting == 0:
		q.earlier += time.Since(q.since)
	}
}

func (q *silence) lasted() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 {
		return q.earlier
	}
	return q.earlier + time.Since(q.since)
}
