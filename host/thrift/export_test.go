package thrift

// Parameters reads invokeManagement's parameters.
var Parameters = parameters

// SourceOf returns what counts as one address.
var SourceOf = sourceOf

// Resting returns how many connections wait for a message, and have nothing left to
// do for the one before.
func (s *Server) Resting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.mu.Lock()
		if c.resting {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

// Held returns how many bytes long messages hold.
func (s *Server) Held() int {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	return s.budget.held
}
