package upstream

import (
	"context"
	"math"
	"net"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	stringType = byte(thrift.STRING)
	structType = byte(thrift.STRUCT)
)

var background = context.Background()

// connection answers one call after another.
type connection struct {
	net.Conn
	server *Server
	number int
	known  map[string]*methods.Method
	buffer *thrift.TMemoryBuffer
	to     *thrift.TBinaryProtocol // writes to the buffer, which never fails
}

func (s *Server) serve(n net.Conn, number int) {
	b := thrift.NewTMemoryBufferLen(256)
	c := &connection{
		Conn: n, server: s, number: number, known: map[string]*methods.Method{},
		buffer: b, to: thrift.NewTBinaryProtocolConf(b, nil),
	}
	r := message.NewReader(n, math.MaxInt)
	var call Call
	for {
		m, err := r.Read()
		if err != nil || m.Kind != thrift.CALL {
			return
		}
		method, seen := c.known[string(m.Name)]
		if !seen {
			method, _ = methods.Lookup(string(m.Name))
			c.known[string(m.Name)] = method
		}
		call = Call{Connection: number, Method: method, SeqID: m.SeqID, Bytes: m.Bytes, conn: c, message: m}
		if method != nil {
			call.read()
		}
		if method == nil || !s.options.Quiet {
			call.Name = string(m.Name)
		}
		s.record(&call)
		answer := s.answerTo(&call)
		if err := answer(&call, n); err != nil {
			return
		}
		s.served.Add(1)
	}
}

// usual returns the answer of a server that behaves. It is good until the
// connection's next one.
func (c *Call) usual() []byte {
	k, s, m := c.conn, c.conn.server, c.Method
	if m == nil {
		return k.failure(c, thrift.UNKNOWN_METHOD, "Invalid method name: '"+c.Name+"'")
	}
	if m.Token != 0 && !s.knows(c.Token) {
		return k.exception(c, m.Security, "Invalid access token")
	}
	if m.Service != "core" {
		return c.byType()
	}
	switch m.Name {
	case "login":
		return c.login()
	case "logout":
		s.mu.Lock()
		delete(s.tokens, string(c.Token))
		s.mu.Unlock()
		return k.result(c, nil)
	case "stage":
		timestamp := s.newTransaction(c.Token, s.clean(c.Environment))
		return k.result(c, func() {
			k.to.WriteFieldBegin(background, "", thrift.STRUCT, 0)
			k.buffer.Write(message.AppendTransactionToken(nil, c.Token, timestamp))
		})
	case "commit", "abort":
		if !s.endTransaction(c.TransactionToken, c.Timestamp) {
			return c.internal()
		}
		return c.byType()
	case "getServerEnvironment":
		return k.result(c, func() {
			k.to.WriteFieldBegin(background, "", thrift.STRING, 0)
			k.to.WriteString(background, s.clean(c.Environment))
		})
	}
	return c.byType()
}

func (c *Call) login() []byte {
	k, s := c.conn, c.conn.server
	arguments := map[int16]string{}
	for i := range c.message.Fields {
		if f := &c.message.Fields[i]; f.Type == stringType {
			arguments[f.ID] = string(message.Text(c.message.Value(f)))
		}
	}
	s.mu.RLock()
	good := arguments[1] == s.options.Username && arguments[2] == s.password
	s.mu.RUnlock()
	if !good {
		return k.exception(c, c.Method.Security, "Invalid username/password combination.")
	}
	token := s.newToken()
	return k.result(c, func() {
		k.to.WriteFieldBegin(background, "", thrift.STRUCT, 0)
		k.buffer.Write(message.AppendAccessToken(nil, token))
	})
}

// byType answers by the method's type. A transaction must be open.
func (c *Call) byType() []byte {
	s := c.conn.server
	if c.TransactionToken != nil && c.Method.Name != "commit" && c.Method.Name != "abort" {
		s.mu.RLock()
		_, open := s.transactions[key{string(c.TransactionToken), c.Timestamp}]
		s.mu.RUnlock()
		if !open {
			return c.internal()
		}
	}
	encoded := sampleOf(c.Method.Returns)
	return c.conn.result(c, func() { c.conn.buffer.Write(encoded) })
}

func (s *Server) knows(token []byte) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, good := s.tokens[string(token)]
	return good
}

func (s *Server) clean(environment string) string {
	if environment == "" {
		s.mu.RLock()
		defer s.mu.RUnlock()
		environment = s.environment
	}
	return account.CleanEnvironment(environment)
}

// begin begins an answer in the connection's buffer.
func (k *connection) begin(c *Call, kind thrift.TMessageType) {
	k.buffer.Reset()
	name := c.Name
	if c.Method != nil {
		name = c.Method.Name
	}
	k.to.WriteMessageBegin(background, name, kind, c.SeqID)
}

// result answers with what write writes of a result's fields.
func (k *connection) result(c *Call, write func()) []byte {
	k.begin(c, thrift.REPLY)
	if write != nil {
		write()
	}
	k.to.WriteFieldStop(background)
	return k.buffer.Bytes()
}

// exception answers with a declared exception that has a message.
func (k *connection) exception(c *Call, id int16, text string) []byte {
	return k.result(c, func() {
		k.to.WriteFieldBegin(background, "", thrift.STRUCT, id)
		k.to.WriteFieldBegin(background, "", thrift.STRING, 1)
		k.to.WriteString(background, text)
		k.to.WriteFieldStop(background)
	})
}

// failure answers with a TApplicationException.
func (k *connection) failure(c *Call, kind int32, text string) []byte {
	k.begin(c, thrift.EXCEPTION)
	thrift.NewTApplicationException(kind, text).Write(background, k.to)
	return k.buffer.Bytes()
}

func (c *Call) internal() []byte {
	return c.conn.failure(c, thrift.INTERNAL_ERROR, "Internal error processing "+c.Method.Name)
}
