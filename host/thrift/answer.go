package thrift

import (
	"context"
	"errors"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/session"
)

// write is what writes a value.
type write func(ctx context.Context, p thrift.TProtocol) error

// void answers that the call is done.
func (r *request) void() error {
	return r.send(thrift.REPLY, func(ctx context.Context, p thrift.TProtocol) error { return p.WriteFieldStop(ctx) })
}

// value answers with a value of that type.
func (r *request) value(of thrift.TType, w write) error { return r.result(0, of, w) }

// token answers with an AccessToken.
func (r *request) token(t session.Token) error {
	return r.value(thrift.STRUCT, func(ctx context.Context, p thrift.TProtocol) error {
		return errors.Join(
			p.WriteFieldBegin(ctx, "data", thrift.STRING, 1), p.WriteBinary(ctx, t[:]),
			p.WriteFieldStop(ctx),
		)
	})
}

// declared answers with an exception that the method declares under that number,
// and that has a message.
func (r *request) declared(id int16, text string) error {
	return r.result(id, thrift.STRUCT, func(ctx context.Context, p thrift.TProtocol) error {
		return errors.Join(
			p.WriteFieldBegin(ctx, "message", thrift.STRING, 1), p.WriteString(ctx, text),
			p.WriteFieldStop(ctx),
		)
	})
}

// declaredEmpty answers with an exception that has no message, as a
// TransactionException has none.
func (r *request) declaredEmpty(id int16) error {
	return r.result(id, thrift.STRUCT, func(ctx context.Context, p thrift.TProtocol) error { return p.WriteFieldStop(ctx) })
}

// fail answers with a TApplicationException, whose kind is one of Thrift's.
func (r *request) fail(kind int32, text string) error {
	return r.send(thrift.EXCEPTION, thrift.NewTApplicationException(kind, text).Write)
}

// internal answers that the call failed, and no more.
func (r *request) internal() error {
	return r.fail(thrift.INTERNAL_ERROR, "Internal error processing "+r.name)
}

// result answers with a result that has one field.
func (r *request) result(id int16, of thrift.TType, w write) error {
	return r.send(thrift.REPLY, func(ctx context.Context, p thrift.TProtocol) error {
		return errors.Join(p.WriteFieldBegin(ctx, "", of, id), w(ctx, p), p.WriteFieldStop(ctx))
	})
}

// send answers the call. Its errors end the connection.
func (r *request) send(kind thrift.TMessageType, w write) error {
	ctx, whole := context.Background(), thrift.NewTMemoryBuffer()
	p := thrift.NewTBinaryProtocolConf(whole, nil)
	if err := errors.Join(p.WriteMessageBegin(ctx, r.name, kind, r.message.SeqID), w(ctx, p)); err != nil {
		return err
	}
	_, err := r.Write(whole.Bytes())
	return err
}
