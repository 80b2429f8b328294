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

// HangFiles has whoever reads the files wait until then, as a disk does that does
// not answer, and returns what each who waits is told on.
func (c *Certificate) HangFiles(until <-chan struct{}) (waiting <-chan struct{}) {
	came := make(chan struct{}, 100)
	c.read = func(path string) (content, error) {
		came <- struct{}{}
		<-until
		return readFile(path)
	}
	return came
}
