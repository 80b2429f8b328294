package throttle

// Held returns how many pairs of name and source the throttle remembers.
func (t *Throttle) Held() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pairs.entries)
}

// Sources returns how many sources have attempts under way or waiting.
func (t *Throttle) Sources() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.manage.crowds) + len(t.others.crowds)
}

// Known returns how many sources are in good standing.
func (t *Throttle) Known() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.known.sources)
}
