package relay

import "time"

// SetPatience sets for how long what ended is tried to be told to an upstream that
// is away. It comes before any call.
func (r *Relay) SetPatience(d time.Duration) { r.endings.patience = d }

// Shares returns how many accounts have calls under way, and how many calls wait
// for others of their account to end.
func (r *Relay) Shares() (accounts, waiting int) {
	s := &r.shares
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, turns := range s.waiting {
		waiting += len(turns)
	}
	return max(len(s.used), len(s.waiting)), waiting
}

// Waiting returns how many calls wait for a connection.
func (r *Relay) Waiting() int {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	return len(r.pool.waiting)
}
