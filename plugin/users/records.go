package users

import (
	"context"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Records returns request records in the order of their ids, which is that of
// their time. It checks no caller: the host asks for itself, at its start, which
// one record that cannot be read must not prevent: it is left out, with a
// warning.
func (s *Service) Records(ctx context.Context, after account.RequestID) (page []account.Record, next account.RequestID, err error) {
	run, err := s.running()
	if err != nil {
		return nil, account.RequestID{}, err
	}
	from := ""
	if !after.IsZero() {
		from = after.String()
	}
	var unread []error
	err = run.store.View(ctx, func(r Reader) error {
		page, next, unread = nil, account.RequestID{}, nil
		return r.Scan(Requests, from, func(name string, value []byte) error {
			if len(page) == account.MaxBatch {
				next = page[len(page)-1].RequestID
				return ErrStop
			}
			one, err := recordOf(name, value)
			if err != nil {
				unread = append(unread, fmt.Errorf("%s: %w", account.Printable(name), err))
				return nil
			}
			page = append(page, one)
			return nil
		})
	})
	if err != nil {
		return nil, account.RequestID{}, attempted("read request records", err)
	}
	if len(unread) > 0 {
		s.logger.Warn("request records cannot be read and are left out", "count", len(unread), "first", unread[0])
	}
	return page, next, nil
}

func recordOf(name string, value []byte) (account.Record, error) {
	id, err := account.ParseRequestID(name)
	if err != nil {
		return account.Record{}, err
	}
	var v requestValue
	if err := decode(Requests, value, &v); err != nil {
		return account.Record{}, err
	}
	return account.Record{
		RequestID: id, Host: v.Host, Caller: v.Caller, CallerName: v.CallerName, Verb: v.Verb,
		Target: v.Target, Changed: v.Changed, AccountID: v.AccountID, Generation: v.Generation, At: v.At,
	}, nil
}
