package users

import (
	"context"
	"fmt"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Recover makes an account an enabled ADMIN with the given password, whatever
// it was before. There is no caller to check: the host answers for the operator.
func (s *Service) Recover(ctx context.Context, r account.Recovery) (account.Change, error) {
	username, err := account.NormalizeUsername(r.Username)
	if err != nil {
		return account.Change{}, err
	}
	now := timestamp()
	in := account.Invocation{RequestID: r.RequestID, Host: r.Host}
	change, err := s.carry(ctx, in, mutation{
		verb: account.VerbRecover, target: username, operators: true,
		setsPassword: true, password: r.Password,
		decide: func(before *stored, hash string) (*stored, error) {
			if before == nil {
				return nil, account.NotFound(username)
			}
			after := *before
			if before.Role != account.Admin {
				after.Role = account.Admin
				after.Generation++
			}
			if !before.Enabled {
				after.Enabled = true
				after.Generation++
			}
			after.setPassword(hash, now)
			return &after, nil
		},
	})
	if account.KindOf(err) == account.KindNotFound {
		err = s.suggestADMINs(ctx, username)
	}
	return change, err
}

// mostSuggested is how many ADMINs a refusal names.
const mostSuggested = 5

// suggestADMINs names accounts that could be meant.
func (s *Service) suggestADMINs(ctx context.Context, username string) error {
	run, err := s.running()
	if err != nil {
		return err
	}
	var names []string
	more := false
	err = run.store.View(ctx, func(r Reader) error {
		names, more = nil, false
		return r.Scan(Accounts, "", func(name string, value []byte) error {
			var is stored
			if err := decode(Accounts, value, &is); err != nil || !is.administers() {
				return nil // no name to give
			}
			if more = len(names) == mostSuggested; more {
				return ErrStop
			}
			names = append(names, account.Printable(name))
			return nil
		})
	})
	if err != nil {
		return attempted("find the ADMINs", err)
	}
	e := account.NotFound(username)
	switch {
	case len(names) == 0:
		e.Message += "; the store has no accounts yet, and the first start of a host makes an administrator"
	case len(names) == 1:
		e.Message += "; the only ADMIN is " + names[0]
	case more:
		e.Message += fmt.Sprintf("; among the ADMINs are %s", strings.Join(names, ", "))
	default:
		e.Message += "; the ADMINs are " + strings.Join(names, ", ")
	}
	return e
}
