package soak_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// workers are administrators and clients who use a system day in, day out.
type workers struct {
	t      *testing.T
	h      *hosttest.Host
	admins []*management.Client // one each
	names  []string             // of accounts that stay
	crowd  *hosttest.Crowd
	plugin int
}

// mix is how many of a hundred commands are of which kind.
var mix = []struct {
	name  string
	share int
	do    func(w *workers, ctx context.Context, admin *management.Client, worker int) error
}{
	{"check a token", 35, (*workers).check},
	{"show", 25, (*workers).show},
	{"grant", 12, (*workers).grant},
	{"revoke", 12, (*workers).revoke},
	{"a page of accounts", 6, (*workers).page},
	{"a page of sessions", 6, (*workers).sessions},
	{"create and delete", 2, (*workers).createAndDelete},
	{"a command line", 2, (*workers).commandLine},
}

// command carries out one, drawn from the mix.
func (w *workers) command(worker int) (name string, err error) {
	draw := rand.IntN(100)
	for _, m := range mix {
		if draw -= m.share; draw < 0 {
			return m.name, m.do(w, context.Background(), w.admins[worker], worker)
		}
	}
	panic("the shares are not a hundred")
}

func (w *workers) name() string { return w.names[rand.IntN(len(w.names))] }

func environment() string { return fmt.Sprint("environment", rand.IntN(20)) }

func (w *workers) check(context.Context, *management.Client, int) error {
	return w.crowd.Check(rand.IntN(len(w.crowd.Tokens)))
}

func (w *workers) show(ctx context.Context, admin *management.Client, _ int) error {
	_, err := admin.Show(ctx, w.name())
	return err
}

func (w *workers) grant(ctx context.Context, admin *management.Client, _ int) error {
	permission := []account.Permission{account.Read, account.Write}[rand.IntN(2)]
	_, err := admin.Grant(ctx, account.RequestID{}, account.Grant{Username: w.name(), Environment: environment(), Permission: permission})
	return err
}

func (w *workers) revoke(ctx context.Context, admin *management.Client, _ int) error {
	_, err := admin.Revoke(ctx, account.RequestID{}, account.Revoke{Username: w.name(), Environment: environment()})
	return err
}

func (w *workers) page(ctx context.Context, admin *management.Client, _ int) error {
	for _, err := range admin.List(ctx, management.AccountFilter{}) {
		return err // of the first page, or nothing
	}
	return errors.New("there are no accounts")
}

func (w *workers) sessions(ctx context.Context, admin *management.Client, _ int) error {
	listing := management.SessionListing{SessionFilter: management.SessionFilter{Account: w.name()}, Limit: 50, Order: session.ByActive}
	for _, err := range admin.Sessions(ctx, listing) {
		return err
	}
	return errors.New("the account has no sessions")
}

func (w *workers) createAndDelete(ctx context.Context, admin *management.Client, worker int) error {
	name := fmt.Sprint("passing", worker)
	r := account.Create{Username: name, Password: account.Secret(hosttest.Password), Role: account.User}
	if _, err := admin.Create(ctx, account.RequestID{}, r); err != nil {
		return err
	}
	_, err := admin.Delete(ctx, account.RequestID{}, account.Delete{Username: name})
	return err
}

func (w *workers) commandLine(context.Context, *management.Client, int) error {
	if out := w.h.Run("", "users", "show", w.name()); out.Code != 0 {
		return fmt.Errorf("exit code %d: %s", out.Code, out.Stderr)
	}
	return nil
}
