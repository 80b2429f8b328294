package host_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// script is one administrator's provisioning script. It changes accounts that
// nobody else changes, one change after another, connects again when the host
// is back, and asks again by the request id when an outcome is unknown. So it
// always knows what must be there.
type script struct {
	host  *hosttest.Host
	name  string // its account, and the beginning of others' names
	admin *management.Client

	stop         atomic.Bool
	ended        chan error // of one place: what run returned
	acknowledged atomic.Int64
	repeated     atomic.Int64 // changes asked again for

	// What must be there, once run has returned.
	account account.Account
	made    []string // further accounts
	gone    []string // accounts that were made and deleted
}

// environmentsHeld bounds the grants of a script's account.
const environmentsHeld = 20

// run changes until stop is set, and returns what went wrong.
func (s *script) run(ctx context.Context) error {
	s.account = account.Account{Username: s.name, Role: account.User, Enabled: true}
	if err := s.create(ctx, s.name); err != nil {
		return err
	}
	for n := 0; !s.stop.Load(); n++ {
		if err := s.step(ctx, n); err != nil {
			return fmt.Errorf("%s, step %d: %w", s.name, n, err)
		}
	}
	return nil
}

// step makes one change. Each changes something: an answer that says otherwise
// means that the change was made before, without being acknowledged.
func (s *script) step(ctx context.Context, n int) error {
	environment := fmt.Sprintf("e%d", n)
	want := s.account
	var ask asking
	switch {
	case n%20 == 19:
		name := fmt.Sprintf("%s-%d", s.name, n)
		if err := s.create(ctx, name); err != nil {
			return err
		}
		s.made = append(s.made, name)
		return nil
	case n%40 == 30 && len(s.made) > 1:
		name := s.made[0]
		s.made, s.gone = s.made[1:], append(s.gone, name)
		_, err := s.carry(ctx, func(c *management.Client, id account.RequestID) (management.Result, error) {
			return c.Delete(ctx, id, account.Delete{Username: name})
		})
		return err
	case n%5 == 2:
		want.Enabled = !want.Enabled
		ask = func(c *management.Client, id account.RequestID) (management.Result, error) {
			if want.Enabled {
				return c.Enable(ctx, id, s.name)
			}
			return c.Suspend(ctx, id, s.name)
		}
	case len(want.Grants) >= environmentsHeld:
		for held := range want.Grants {
			environment = held
		}
		want.Grants = want.Grants.Without(environment)
		ask = func(c *management.Client, id account.RequestID) (management.Result, error) {
			return c.Revoke(ctx, id, account.Revoke{Username: s.name, Environment: environment})
		}
	default:
		p := []account.Permission{account.Read, account.Write}[n%2]
		want.Grants = want.Grants.With(environment, p)
		ask = func(c *management.Client, id account.RequestID) (management.Result, error) {
			return c.Grant(ctx, id, account.Grant{Username: s.name, Permission: p, Environment: environment})
		}
	}
	r, err := s.carry(ctx, ask)
	if err != nil {
		return err
	}
	s.account = want
	return s.differs(r.Account)
}

func (s *script) create(ctx context.Context, name string) error {
	_, err := s.carry(ctx, func(c *management.Client, id account.RequestID) (management.Result, error) {
		return c.Create(ctx, id, account.Create{Username: name, Password: account.Secret(secret), Role: account.User})
	})
	return err
}

// differs says how the script's account differs from what was acknowledged.
func (s *script) differs(got account.Account) error {
	for _, g := range []*account.Account{&got, &s.account} {
		*g = account.Account{Username: g.Username, Role: g.Role, Enabled: g.Enabled, Grants: g.Grants}
		if len(g.Grants) == 0 {
			g.Grants = nil
		}
	}
	if d := cmp.Diff(s.account, got); d != "" {
		return fmt.Errorf("acknowledged (-) is not what is there (+):\n%s", d)
	}
	return nil
}

// asking is one change, under a request id or the zero id.
type asking func(*management.Client, account.RequestID) (management.Result, error)

// carry asks for a change until it is acknowledged.
func (s *script) carry(ctx context.Context, ask asking) (management.Result, error) {
	for id, tries := anew, 0; ; tries++ {
		if tries > 0 {
			time.Sleep(5 * time.Millisecond)
		}
		if s.admin == nil {
			c, err := s.host.Login(hosttest.Administrator, hosttest.Password)
			if again(err) {
				continue
			} else if err != nil {
				return management.Result{}, err
			}
			s.admin = c
		}
		r, err := ask(s.admin, id)
		switch {
		case err == nil && !r.Changed:
			return r, fmt.Errorf("it was asked for once, under %s, and answered as if it had been made before", r.RequestID)
		case err == nil:
			s.acknowledged.Add(1)
			return r, nil
		case account.KindOf(err) == account.KindOutcomeUnknown:
			s.repeated.Add(1)
			if id, err = idIn(err); err != nil {
				return r, err
			}
		case !again(err) && account.KindOf(err) != account.KindNotAuthenticated:
			return r, err
		}
		s.admin.Close()
		s.admin = nil
	}
}

// again reports whether an error says that nothing was done and that trying
// again may help.
func again(err error) bool {
	return slices.Contains([]account.Kind{account.KindUnavailable, account.KindThrottled}, account.KindOf(err))
}

// idIn returns the request id that an unknown outcome names.
func idIn(err error) (account.RequestID, error) {
	e, ok := errors.AsType[*account.Error](err)
	if !ok {
		return anew, fmt.Errorf("no request id is in: %v", err)
	}
	return account.ParseRequestID(e.RequestID)
}
