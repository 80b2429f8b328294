package upstream

import (
	"bytes"
	"slices"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// Call is a call that came in.
type Call struct {
	Connection int             // the number of its connection, from 1
	Name       string          // as it stands in the message
	Method     *methods.Method // nil: there is none of that name
	SeqID      int32
	Bytes      []byte // the message

	Token            []byte // nil: none
	TransactionToken []byte // the token that the transaction names; nil: there is no transaction
	Timestamp        int64  // of the transaction
	Environment      string
	Named            bool // there is an environment among the arguments

	conn    *connection
	message *message.Message
}

// read reads what the server looks at. What is malformed is as if it were not
// there.
func (c *Call) read() {
	m := c.message
	if f := c.structure(c.Method.Token); f != nil {
		c.Token, _ = message.AccessToken(m.Value(f))
	}
	if f := c.structure(c.Method.Transaction); f != nil {
		c.TransactionToken, c.Timestamp, _ = message.TransactionToken(m.Value(f))
	}
	for i := range m.Fields {
		if f := &m.Fields[i]; f.ID == c.Method.Environment && f.Type == stringType {
			c.Environment, c.Named = string(message.Text(m.Value(f))), true
		}
	}
}

func (c *Call) structure(id int16) *message.Field {
	for i := range c.message.Fields {
		if f := &c.message.Fields[i]; id != 0 && f.ID == id && f.Type == structType {
			return f
		}
	}
	return nil
}

// clone returns a copy that outlives the connection's next call.
func (c *Call) clone() *Call {
	copied := *c
	copied.Bytes = bytes.Clone(c.Bytes)
	copied.Token, copied.TransactionToken = bytes.Clone(c.Token), bytes.Clone(c.TransactionToken)
	copied.conn, copied.message = nil, nil
	return &copied
}

// Calls returns what was recorded, in order; only calls of the methods named, if
// any is. Names are bare.
func (s *Server) Calls(named ...string) []*Call {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []*Call
	for _, c := range s.calls {
		if len(named) == 0 || c.Method != nil && slices.Contains(named, c.Method.Name) {
			all = append(all, c)
		}
	}
	return all
}

// Forget forgets what was recorded.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

func (s *Server) record(c *Call) {
	if s.options.Quiet {
		return
	}
	copied := c.clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, copied)
}
