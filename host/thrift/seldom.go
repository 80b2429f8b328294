package thrift

import (
	"sync"
	"time"
)

// tellEvery is how often a line that strangers can cause comes into the log.
const tellEvery = time.Minute

// seldom keeps a kind of line rare. The zero one is ready.
type seldom struct {
	mu    sync.Mutex
	next  time.Time
	times int // since the last line
}

// turn reports whether it is time for a line, and for how many occasions it
// stands.
func (s *seldom) turn() (times int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times++
	now := time.Now()
	if now.Before(s.next) {
		return 0, false
	}
	times, s.times, s.next = s.times, 0, now.Add(tellEvery)
	return times, true
}
