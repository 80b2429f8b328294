package relay

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/shared/account"
)

// pass makes one call upstream. l is nil for a method that takes no token, t for a
// call without a transaction. It refuses with errStale, and as Relay does.
func (r *Relay) pass(ctx context.Context, c *Call, h *holding, l *login, t *transaction) error {
	for {
		conn, err := r.pool.take(ctx, 0)
		if err != nil {
			return err
		}
		// Waiting may have taken long: for a turn, a login, this connection.
		if err := r.stillAllowed(c, t); err != nil {
			r.pool.done(conn)
			if t != nil && !r.closes(c.Method) && r.take(h, t) {
				r.abandon(h, t)
			}
			return err
		}
		conn.patch(c, l, t)
		c.sent.Store(true)
		conn.begin(ctx, r.ReplyTimeout, c)
		m, err := conn.exchange(c.Method.Name, c.Message.SeqID)
		if err == nil {
			r.reach.answered()
		}
		if err == nil && !m.Streamed {
			err = r.deliver(c, conn, m, h, l)
		}
		fresh, failure := conn.fresh, conn.failure
		r.pool.done(conn)
		switch {
		case err != errNotSent:
			return err
		case fresh:
			r.reach.missed(ctx, "the data server cannot be reached", "error", failure)
			return errAway
		}
		// The connection had been closed while nobody used it.
	}
}

// patch puts together what goes upstream: the client's message with the upstream's
// tokens in the places of the client's.
func (c *conn) patch(call *Call, l *login, t *transaction) {
	c.out = c.parts[:0]
	var patches [2]message.Patch
	n := 0
	if l != nil && call.Token != nil {
		patches[n] = message.Patch{Field: call.Token, With: l.token}
		n++
	}
	if t != nil {
		patches[n] = message.Patch{Field: call.Transaction, With: t.token}
		n++
	}
	if n == 2 && patches[1].Field.Value < patches[0].Field.Value {
		patches[0], patches[1] = patches[1], patches[0]
	}
	c.out = call.Message.Patched(c.out, patches[:n]...)
}

// deliver writes an answer to the client, unless it is one that the client must
// not see.
func (r *Relay) deliver(c *Call, conn *conn, m *message.Message, h *holding, l *login) error {
	if m.Kind == thrift.EXCEPTION {
		// A server that could not read a call to its end may have left the rest of it
		// in the stream, and answer that, too.
		conn.broken = conn.broken || !isInternal(m)
		return r.deliverAsIs(c, conn, m, l)
	}
	var result *message.Field
	for i := range m.Fields {
		f := &m.Fields[i]
		switch {
		case f.ID == 0:
			result = f
		case f.Type != thrift.STRUCT:
		case f.ID == c.Method.Security:
			return r.refusedToken(m.Value(f), l)
		case f.ID == c.Method.Permission:
			// Not the client's permission is missing, and an old driver could take it
			// for success.
			return account.Unavailable("the data server does not let the account that this host has there make the call; the account must be an administrator's")
		}
	}
	if c.Method == r.stage && result != nil {
		return r.staged(c, conn, m, result, h, l)
	}
	return r.deliverAsIs(c, conn, m, l)
}

// isInternal reports whether an error of the service's own says that the call was
// read, and failed.
func isInternal(m *message.Message) bool {
	kind, err := m.Field(2, thrift.I32)
	return err == nil && kind != nil && binary.BigEndian.Uint32(m.Value(kind)) == thrift.INTERNAL_ERROR
}

// deliverAsIs writes an answer to the client byte for byte. One that gives the
// token away, in the text of an error perhaps, is not written.
func (r *Relay) deliverAsIs(c *Call, conn *conn, m *message.Message, l *login) error {
	if l != nil && bytes.Contains(m.Bytes, l.data()) {
		conn.broken = true
		return ErrUnknown
	}
	if _, err := c.Reply.Write(m.Bytes); err != nil {
		return ErrCut
	}
	return nil
}

// unknownToken is the SecurityException with which the upstream answers a token
// that it does not know.
var unknownToken = append([]byte("\x0b\x00\x01\x00\x00\x00\x14Invalid access token"), thrift.STOP)

// refusedToken says what a SecurityException of the upstream means. None reaches
// the client, whose token lives: the Java driver would log in again for ever.
func (r *Relay) refusedToken(exception []byte, l *login) error {
	if bytes.Equal(exception, unknownToken) {
		return errStale
	}
	return account.Unavailable("the data server refused the call for its security: %s", r.words(text(exception), l))
}

// text returns an exception's message.
func text(exception []byte) string {
	if len(exception) < 7 || exception[0] != thrift.STRING || exception[1] != 0 || exception[2] != 1 {
		return "it does not say why"
	}
	// The reader went over the value: its length is right.
	n := int(exception[3])<<24 | int(exception[4])<<16 | int(exception[5])<<8 | int(exception[6])
	return string(exception[7 : 7+n])
}
