package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/cinchapi/concourse-users/shared/account"
)

type logsIn struct {
	account.Users
	login account.Login
	err   error
}

func (l logsIn) Authenticate(context.Context, account.Credentials) (account.Login, error) {
	return l.login, l.err
}

func TestIsAdministrator(t *testing.T) {
	as := func(role account.Role) account.Login { return account.Login{Account: account.Account{Role: role}} }
	for name, c := range map[string]struct {
		users logsIn
		want  account.Kind
	}{
		"Admin":     {logsIn{login: as(account.Admin)}, 0},
		"ErrUser":   {logsIn{login: as(account.User)}, account.KindInvalid},
		"ErrLogin":  {logsIn{err: account.NotAuthenticated()}, account.KindInvalid},
		"ErrBroken": {logsIn{err: errors.New("broken")}, account.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			if err := isAdministrator(t.Context(), c.users, account.Credentials{Username: "mary"}); account.KindOf(err) != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
