package main

import (
	"context"
	"slices"
	"strings"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// keep finds out whether the account exists, and what it has otherwise than is
// wanted. The wanted state is compared here, because a plan of it may be refused:
// it may be the last ADMIN's, or the caller's own.
func (t *task) keep(ctx context.Context, client *management.Client) (kept bool, err error) {
	t.applied, t.differs = management.Applied{}, nil
	is, err := client.Show(ctx, t.Username)
	if account.KindOf(err) == account.KindNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	password, err := client.Plan(ctx, account.Desired{Username: t.Username, PasswordHash: t.PasswordHash})
	if err != nil {
		return false, err
	}
	t.applied.Account, t.applied.Sessions, t.applied.Before = is.Account, is.Sessions, &is.Account
	wanted := is.Account
	wanted.Role, wanted.Enabled, wanted.Grants = t.Role, *t.Enabled, t.Grants
	compared := account.Applied{
		Change: account.Change{Changed: true, Account: wanted}, Before: &is.Account, PasswordSet: password.PasswordSet,
	}
	for _, d := range compared.Differences() {
		what, _, _ := strings.Cut(d.Field, ".") // one environment's grants are as good as all
		if what == "enabled" {
			what = "state"
		}
		if !slices.Contains(t.differs, what) {
			t.differs = append(t.differs, what)
		}
	}
	return true, nil
}
