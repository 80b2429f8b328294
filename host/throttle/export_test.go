package throttle

// Held returns how many pairs of name and source the throttle remembers.
func (t *Throttle) Held() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pairs.entries)
}
