package management

import (
	"slices"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

func (s *service) Sessions(r *managementv1.SessionsRequest, stream managementv1.Management_SessionsServer) error {
	caller, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer caller.Done()
	l, err := listingFromProto(r)
	if err != nil {
		return err
	}
	return s.gate.Sessions(stream.Context(), caller, l, sendSessions(l, stream.Send))
}

func (o *operator) Sessions(r *managementv1.SessionsRequest, stream managementv1.Operator_SessionsServer) error {
	if _, err := o.admit(stream.Context()); err != nil {
		return err
	}
	l, err := listingFromProto(r)
	if err != nil {
		return err
	}
	return o.gate.OperatorSessions(stream.Context(), l, sendSessions(l, stream.Send))
}

func (s *service) CountSessions(r *managementv1.CountSessionsRequest, stream managementv1.Management_CountSessionsServer) error {
	caller, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer caller.Done()
	by, err := keyFromProto(r.GetBy())
	if err != nil {
		return err
	}
	counts, err := s.gate.CountSessions(stream.Context(), caller, filterOf(r), by)
	if err != nil {
		return err
	}
	return sendCounts(counts, stream.Send)
}

func (o *operator) CountSessions(r *managementv1.CountSessionsRequest, stream managementv1.Operator_CountSessionsServer) error {
	if _, err := o.admit(stream.Context()); err != nil {
		return err
	}
	by, err := keyFromProto(r.GetBy())
	if err != nil {
		return err
	}
	counts, err := o.gate.OperatorCountSessions(stream.Context(), filterOf(r), by)
	if err != nil {
		return err
	}
	return sendCounts(counts, stream.Send)
}

func filterOf(r interface {
	GetAccount() string
	GetAddress() string
	GetEnvironment() string
	GetInTransaction() bool
}) session.Filter {
	return session.Filter{
		Account: r.GetAccount(), Address: r.GetAddress(), Environment: r.GetEnvironment(), InTransaction: r.GetInTransaction(),
	}
}

func listingFromProto(r *managementv1.SessionsRequest) (session.Listing, error) {
	order := r.GetOrder()
	if order == managementv1.SessionOrder_SESSION_ORDER_UNSPECIFIED {
		order = managementv1.SessionOrder_SESSION_ORDER_CONNECTED
	}
	i := slices.Index(orders, order)
	if i < 0 {
		return session.Listing{}, account.Invalid("order", "%d is not an order of sessions", order)
	}
	return session.Listing{Filter: filterOf(r), Order: session.Order(i), Reverse: r.GetReverse(), Limit: int(r.GetLimit())}, nil
}

func keyFromProto(k managementv1.SessionKey) (session.Key, error) {
	i := slices.Index(keys, k)
	if i < 0 {
		return 0, account.Invalid("by", "%d is not what sessions can be counted by", k)
	}
	return session.Key(i), nil
}

// The orders and keys on the wire.
var (
	orders = []managementv1.SessionOrder{
		session.ByConnected:   managementv1.SessionOrder_SESSION_ORDER_CONNECTED,
		session.ByAccount:     managementv1.SessionOrder_SESSION_ORDER_ACCOUNT,
		session.ByAddress:     managementv1.SessionOrder_SESSION_ORDER_ADDRESS,
		session.ByEnvironment: managementv1.SessionOrder_SESSION_ORDER_ENVIRONMENT,
		session.ByActive:      managementv1.SessionOrder_SESSION_ORDER_ACTIVE,
		session.ByCalls:       managementv1.SessionOrder_SESSION_ORDER_CALLS,
		session.ByTransaction: managementv1.SessionOrder_SESSION_ORDER_TRANSACTION,
	}
	keys = []managementv1.SessionKey{
		session.KeyAccount:     managementv1.SessionKey_SESSION_KEY_ACCOUNT,
		session.KeyAddress:     managementv1.SessionKey_SESSION_KEY_ADDRESS,
		session.KeyEnvironment: managementv1.SessionKey_SESSION_KEY_ENVIRONMENT,
	}
)

// sendSessions sends rows, as many at once as fit in mostBatch; a row that alone
// does not fit goes alone. It also sends the total, first, if the listing has a
// limit.
func sendSessions(l session.Listing, send func(*managementv1.SessionsResponse) error) func([]account.Session, int) error {
	told := l.Limit == 0
	var encoded []byte // used again: what was sent is no longer needed
	return func(rows []account.Session, total int) error {
		if len(rows) == 0 && !told {
			return send(&managementv1.SessionsResponse{Total: uint64(total)})
		}
		flush := func(encoded []byte) error {
			p := wire.WithRows(&managementv1.SessionsResponse{}, encoded)
			if !told {
				p.Total, told = uint64(total), true
			}
			return send(p)
		}
		encoded = encoded[:0]
		for i := range rows {
			size := len(encoded)
			encoded = wire.AppendSession(encoded, &rows[i])
			if size > 0 && len(encoded) > mostBatch {
				if err := flush(encoded[:size]); err != nil {
					return err
				}
				encoded = append(encoded[:0], encoded[size:]...)
			}
		}
		if len(encoded) == 0 {
			return nil
		}
		return flush(encoded)
	}
}

func sendCounts(counts []session.Count, send func(*managementv1.CountSessionsResponse) error) error {
	for chunk := range slices.Chunk(counts, account.MaxBatch) {
		rows := make([]*managementv1.SessionCount, len(chunk))
		for i, c := range chunk {
			rows[i] = &managementv1.SessionCount{Value: c.Value, Sessions: c.Sessions}
		}
		for batch := range inBatches(rows) {
			if err := send(&managementv1.CountSessionsResponse{Counts: batch}); err != nil {
				return err
			}
		}
	}
	return nil
}
