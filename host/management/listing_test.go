package management_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// page is a double of the plugin: it lets everybody in, and lists itself.
type page struct {
	gate.Users
	accounts     []account.Account
	authenticate func(context.Context) // called in a login, if not nil
	show         func(context.Context) // called in a look at an account
}

func (p page) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	if p.authenticate != nil {
		p.authenticate(ctx)
	}
	a := account.Account{ID: "1", Generation: 1, Username: c.Username, Role: account.Admin, Enabled: true}
	return account.Login{Account: a, Revision: 1}, nil
}

func (p page) Show(ctx context.Context, _ account.Caller, username string) (account.Account, error) {
	p.show(ctx)
	return account.Account{ID: "1", Generation: 1, Username: username, Role: account.Admin, Enabled: true}, nil
}

func (p page) List(context.Context, account.Caller, string) ([]account.Account, string, error) {
	return p.accounts, "", nil
}

func (page) Sessions(_ context.Context, _ account.Caller, rows []account.Session) ([]account.Session, error) {
	return rows, nil
}

// 30 accounts with all the grants that one may hold are about 8 MiB: in one
// message, twice what gRPC accepts.
func TestListOfAccountsWithHugeGrants(t *testing.T) {
	plugin := page{}
	for i := range 30 {
		a := account.Account{ID: "2", Username: fmt.Sprintf("user%02d", i), Role: account.User, Grants: account.Grants{}}
		for n := range account.MaxEnvironments {
			a.Grants[fmt.Sprintf("%0*d", account.MaxEnvironment, n)] = []account.Permission{account.Read}
		}
		plugin.accounts = append(plugin.accounts, a)
	}
	c := leased(t, plugin).client(t)
	var names []string
	messages := 0
	for batch, err := range c.List(t.Context(), management.AccountFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		messages++
		for _, a := range batch {
			names = append(names, a.Username)
			if len(a.Grants) != account.MaxEnvironments {
				t.Errorf("%s came with %d grants", a.Username, len(a.Grants))
			}
		}
	}
	if len(names) != 30 || names[0] != "user00" || names[29] != "user29" || messages < 8 || messages > 15 {
		t.Errorf("%d messages brought %q", messages, names)
	}
}

// A thousand sessions, a whole batch of the table's, with texts of 5 KiB.
func TestSessionsWithLongTexts(t *testing.T) {
	f := leased(t, page{})
	c, table := f.client(t), f.table
	for i := range account.MaxBatch {
		name := fmt.Sprintf("user%04d", i)
		l := table.Begin(name)
		read := account.Snapshot{Username: name, ID: account.ID(name), Generation: 1, Enabled: true, Role: account.User, Revision: 1}
		if _, _, err := l.Complete(read, session.Details{Listener: account.ClientListener, Client: strings.Repeat("x", 5<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	for who, sessions := range map[string]iter.Seq2[[]account.Session, error]{
		"Administrator": c.Sessions(t.Context(), management.SessionListing{}),
		"Operator":      c.OperatorSessions(t.Context(), management.SessionListing{}),
	} {
		t.Run(who, func(t *testing.T) {
			var names []string
			for batch, err := range sessions {
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range batch {
					names = append(names, s.Username)
				}
			}
			if len(names) != account.MaxBatch+1 || names[0] != "root" || names[account.MaxBatch] != "user0999" {
				t.Errorf("%d sessions came, from %q to %q", len(names), names[0], names[len(names)-1])
			}
		})
	}
}
