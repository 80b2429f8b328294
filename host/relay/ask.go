package relay

import (
	"context"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/shared/account"
)

// request is a call of the relay's own, as it goes out.
type request struct {
	name   string
	seqID  int32
	buffer *thrift.TMemoryBuffer
	to     *thrift.TBinaryProtocol // writes to the buffer, which never fails
}

// background is what Thrift's library asks for; writing to a buffer never waits.
var background = context.Background()

func newRequest(name string) *request { return newMarkedRequest(name, 0) }

func newMarkedRequest(name string, seqID int32) *request {
	b := thrift.NewTMemoryBufferLen(256)
	q := &request{name: name, seqID: seqID, buffer: b, to: thrift.NewTBinaryProtocolConf(b, nil)}
	q.to.WriteMessageBegin(background, name, thrift.CALL, seqID)
	return q
}

func (q *request) binary(id int16, data []byte) {
	q.to.WriteFieldBegin(background, "", thrift.STRING, id)
	q.to.WriteBinary(background, data)
}

// structure writes an argument that is encoded already.
func (q *request) structure(id int16, encoded []byte) {
	q.to.WriteFieldBegin(background, "", thrift.STRUCT, id)
	q.buffer.Write(encoded)
}

// ask makes a call of the relay's own, and hands the answer over, which is good
// until read returns. read refuses with errGarbage an answer that is none. ask
// refuses with what read refuses with, or Unavailable.
func (r *Relay) ask(ctx context.Context, beyond int, q *request, limit time.Duration, read func(*message.Message) error) error {
	q.to.WriteFieldStop(background)
	for {
		conn, err := r.pool.take(ctx, beyond)
		if err != nil {
			return err
		}
		conn.out = append(conn.parts[:0], q.buffer.Bytes())
		conn.begin(ctx, limit, nil)
		m, err := conn.exchange(q.name, q.seqID)
		if err == nil {
			if err = read(m); err == errGarbage {
				conn.broken, conn.failure = true, errGarbage
			}
		}
		fresh, failure := conn.fresh, conn.whyNone()
		r.pool.done(conn)
		switch {
		case err == errNotSent && fresh:
			r.reach.missed(ctx, "the data server cannot be reached", "error", failure)
			return errAway
		case err == errNotSent:
		case err == errGarbage, err == ErrUnknown:
			r.reach.missed(ctx, "the data server does not answer as it should", "asked", q.name, "error", failure)
			return account.Unavailable("the data server did not answer '%s' as it should; the host's log says more", q.name)
		default:
			r.reach.answered()
			return err
		}
	}
}

// shortLimit is how long the upstream may take to answer what costs it little, and
// what others wait for.
func (r *Relay) shortLimit() time.Duration { return min(r.AnswerTimeout, r.ReplyTimeout) }

// isStale reports whether an answer is the SecurityException of an unknown
// token. All of the relay's own calls declare it as 1.
func isStale(m *message.Message) bool {
	for i := range m.Fields {
		f := &m.Fields[i]
		if m.Kind == thrift.REPLY && f.ID == 1 && f.Type == thrift.STRUCT && string(m.Value(f)) == string(unknownToken) {
			return true
		}
	}
	return false
}

// exceptionText returns the message of a TApplicationException.
func exceptionText(m *message.Message) string {
	f, err := m.Field(1, thrift.STRING)
	if err != nil || f == nil {
		return "it does not say why"
	}
	return string(message.Text(m.Value(f)))
}
