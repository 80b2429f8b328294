package users

import (
	"context"
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

// ownSession marks the row of the session that asks.
const ownSession = "this session"

// Sessions withholds nothing from an ADMIN, and marks the caller's own row.
func (s *Service) Sessions(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
	run, err := s.running()
	if err != nil {
		return nil, err
	}
	if len(rows) > account.MaxBatch {
		return nil, account.Invalid("sessions", "%d session rows are more than the %d that fit in one batch", len(rows), account.MaxBatch)
	}
	if err := run.store.View(ctx, func(r Reader) error { return checkCaller(r, who) }); err != nil {
		return nil, attempted("check who lists sessions", err)
	}
	shown := rows
	for i := range rows {
		note := ""
		if who.SessionID != "" && rows[i].ID == who.SessionID {
			note = ownSession
		}
		if rows[i].Note == note {
			continue
		}
		if &shown[0] == &rows[0] { // the caller's own
			shown = slices.Clone(rows)
		}
		shown[i].Note = note
	}
	return shown, nil
}
