package management

// Commands names the calls that are observed.
var Commands = commands

// Tell makes a call and tells of its end.
func (ended CommandEnded) Tell(method string, call func() error) error {
	return ended.tell(method, call)
}
