package management

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// SessionFilter lets through the sessions that match every field that is set.
type SessionFilter struct {
	Account     string // username
	Address     string // remote address, with or without its port
	Environment string
	// InTransaction lets through only those that hold a transaction open.
	InTransaction bool
}

// SessionListing says which sessions to list, and how.
type SessionListing struct {
	SessionFilter
	Order   session.Order
	Reverse bool   // the other way round
	Limit   uint32 // at most so many, the first of the order; 0: all
	// Total, if not nil, is told before the first batch how many sessions pass
	// the filter, those that the plugin withholds among them. Only a listing
	// with a limit tells.
	Total func(uint64)
}

// Sessions yields the live sessions in batches, in the listing's order, as the
// plugin shows them. An error ends it.
func (c *Client) Sessions(ctx context.Context, l SessionListing) iter.Seq2[[]account.Session, error] {
	return c.sessions(c.authorize(ctx), managementv1.Management_Sessions_FullMethodName, l)
}

// OperatorSessions yields the live sessions straight from the host, without an
// account. It refuses with NotPermitted all but the owner of the home.
func (c *Client) OperatorSessions(ctx context.Context, l SessionListing) iter.Seq2[[]account.Session, error] {
	return c.sessions(ctx, managementv1.Operator_Sessions_FullMethodName, l)
}

// sessions takes the answers unread, for wire.ReadSessions.
func (c *Client) sessions(ctx context.Context, method string, l SessionListing) iter.Seq2[[]account.Session, error] {
	return batches(ctx, c.answer, func(ctx context.Context) (receiver[wire.Unread], error) {
		stream, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method, wire.LeaveUnread())
		if err == nil {
			err = stream.SendMsg(l.toProto())
		}
		if err == nil {
			err = stream.CloseSend()
		}
		return &grpc.GenericClientStream[managementv1.SessionsRequest, wire.Unread]{ClientStream: stream}, err
	}, l.rows())
}

// CountSessions yields how many of the sessions that the plugin shows have
// which value, in batches, the most frequent first. An error ends it.
func (c *Client) CountSessions(ctx context.Context, f SessionFilter, by session.Key) iter.Seq2[[]session.Count, error] {
	return batches(c.authorize(ctx), c.answer, func(ctx context.Context) (receiver[managementv1.CountSessionsResponse], error) {
		return c.management.CountSessions(ctx, f.countedBy(by))
	}, countsFromProto)
}

// OperatorCountSessions is CountSessions straight from the host. It refuses with
// NotPermitted all but the owner of the home.
func (c *Client) OperatorCountSessions(ctx context.Context, f SessionFilter, by session.Key) iter.Seq2[[]session.Count, error] {
	return batches(ctx, c.answer, func(ctx context.Context) (receiver[managementv1.CountSessionsResponse], error) {
		return c.operator.CountSessions(ctx, f.countedBy(by))
	}, countsFromProto)
}

func (l SessionListing) toProto() *managementv1.SessionsRequest {
	return &managementv1.SessionsRequest{
		Account: l.Account, Address: l.Address, Environment: l.Environment, InTransaction: l.InTransaction,
		Order: orders[l.Order], Reverse: l.Reverse, Limit: l.Limit,
	}
}

func (f SessionFilter) countedBy(by session.Key) *managementv1.CountSessionsRequest {
	return &managementv1.CountSessionsRequest{
		Account: f.Account, Address: f.Address, Environment: f.Environment, InTransaction: f.InTransaction, By: keys[by],
	}
}

func (l SessionListing) rows() func(*wire.Unread) ([]account.Session, error) {
	told := l.Total == nil || l.Limit == 0
	return func(answer *wire.Unread) ([]account.Session, error) {
		if !told {
			var p managementv1.SessionsResponse
			if err := proto.Unmarshal(answer.ProtoReflect().GetUnknown(), &p); err != nil {
				return nil, badAnswer(err)
			}
			l.Total(p.GetTotal())
			told = true
		}
		rows, err := wire.ReadSessions(answer)
		if err != nil {
			return nil, badAnswer(err)
		}
		return rows, nil
	}
}

func countsFromProto(p *managementv1.CountSessionsResponse) ([]session.Count, error) {
	batch := make([]session.Count, len(p.GetCounts()))
	for i, c := range p.GetCounts() {
		batch[i] = session.Count{Value: c.GetValue(), Sessions: c.GetSessions()}
	}
	return batch, nil
}
