package wire

import (
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
)

// SessionsToProto and SessionsFromProto convert rows by way of the generated
// code, for tests of the code that does without it.
func SessionsToProto(rows []account.Session) []*accountv1.Session {
	out := make([]*accountv1.Session, len(rows))
	for i, s := range rows {
		p := &accountv1.Session{
			Id: s.ID, Host: s.Host, AccountId: string(s.AccountID), Username: s.Username,
			Role: RoleToProto(s.Role), RemoteAddress: s.RemoteAddress, Listener: ListenerToProto(s.Listener),
			Client: s.Client, Environment: s.Environment, ConnectedSince: TimeToProto(s.ConnectedSince),
			LastActive: TimeToProto(s.LastActive), Calls: s.Calls, Connections: uint32(s.Connections), Note: s.Note,
		}
		if s.CurrentCall != nil {
			p.CurrentCall = &accountv1.Call{Method: s.CurrentCall.Method, Since: TimeToProto(s.CurrentCall.Since)}
		}
		for _, t := range s.OpenTransactions {
			p.OpenTransactions = append(p.OpenTransactions, &accountv1.Transaction{Id: t.ID, Since: TimeToProto(t.Since), Environment: t.Environment})
		}
		out[i] = p
	}
	return out
}

// SessionsFromProto refuses more than MaxBatch.
func SessionsFromProto(in []*accountv1.Session) ([]account.Session, error) {
	if len(in) > account.MaxBatch {
		return nil, account.Invalid("sessions", "%d rows in one message, more than %d", len(in), account.MaxBatch)
	}
	rows := make([]account.Session, len(in))
	for i, p := range in {
		s := account.Session{
			ID: p.GetId(), Host: p.GetHost(), AccountID: account.ID(p.GetAccountId()), Username: p.GetUsername(),
			RemoteAddress: p.GetRemoteAddress(), Client: p.GetClient(), Environment: p.GetEnvironment(),
			Calls: p.GetCalls(), Connections: int(p.GetConnections()), Note: p.GetNote(),
		}
		var err error
		if s.Role, err = RoleFromProto(p.GetRole()); err != nil {
			return nil, err
		}
		if s.Listener, err = ListenerFromProto(p.GetListener()); err != nil {
			return nil, err
		}
		if s.ConnectedSince, err = TimeFromProto(p.GetConnectedSince()); err != nil {
			return nil, fmt.Errorf("connected_since: %w", err)
		}
		if s.LastActive, err = TimeFromProto(p.GetLastActive()); err != nil {
			return nil, fmt.Errorf("last_active: %w", err)
		}
		if c := p.GetCurrentCall(); c != nil {
			since, err := TimeFromProto(c.GetSince())
			if err != nil {
				return nil, fmt.Errorf("current_call: %w", err)
			}
			s.CurrentCall = &account.Call{Method: c.GetMethod(), Since: since}
		}
		for _, t := range p.GetOpenTransactions() {
			since, err := TimeFromProto(t.GetSince())
			if err != nil {
				return nil, fmt.Errorf("open_transactions: %w", err)
			}
			s.OpenTransactions = append(s.OpenTransactions, account.Transaction{ID: t.GetId(), Since: since, Environment: t.GetEnvironment()})
		}
		rows[i] = s
	}
	return rows, nil
}
