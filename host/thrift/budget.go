package thrift

// mostHeld is how many messages of the greatest length may be held at once, by all
// connections of a server. Shorter ones, and those that have not come whole, count
// by the memory that they take; what every connection may have does not count.
const mostHeld = 4

// hold has the message that comes hold so many bytes more, or fewer, unless the
// server's messages would hold too many then.
func (c *conn) hold(more int) bool {
	s := c.server
	if s.held.Add(int64(more)) > mostHeld*int64(s.options.MaxMessage) && more > 0 {
		s.held.Add(int64(-more))
		return false
	}
	c.held += more
	return true
}
