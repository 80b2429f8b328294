package fault_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// clerk changes one account, which nobody else changes, one change after
// another, and notes when each was acknowledged. When the host goes it waits for
// it to come back, and asks again under the same request id.
type clerk struct {
	host     *hosttest.Host
	name     string // of its account
	password account.Secret
	draw     *rand.Rand
	acked    *atomic.Int64 // of all clerks

	admin  *management.Client
	logins []time.Time
	deeds  []deed
}

// deed is a change that changes something.
type deed struct {
	id           string
	began, acked time.Time       // acked is zero if it never was
	after        account.Account // without a name: there is none
	asked        bool            // again, after the outcome was not known
}

// work changes until enough changes were acknowledged.
func (c *clerk) work(ctx context.Context, enough *atomic.Bool) error {
	for !enough.Load() {
		if err := c.step(ctx); err != nil {
			return fmt.Errorf("%s, change %d: %w", c.name, len(c.deeds), err)
		}
	}
	return nil
}

// state returns the account as n changes have left it.
func (c *clerk) state(n int) account.Account {
	if n == 0 {
		return account.Account{}
	}
	return c.deeds[n-1].after
}

func (c *clerk) step(ctx context.Context) error {
	after, environment := c.state(len(c.deeds)), fmt.Sprintf("e%d", len(c.deeds))
	if after.Username == "" {
		after = account.Account{Username: c.name, Role: account.User, Enabled: true}
		return c.do(ctx, after, func(a *management.Client, id account.RequestID) (management.Result, error) {
			return a.Create(ctx, id, account.Create{Username: c.name, Password: account.Secret(secondPassword), Role: account.User})
		})
	}
	switch n := c.draw.IntN(30); {
	case n == 0:
		return c.do(ctx, account.Account{}, func(a *management.Client, id account.RequestID) (management.Result, error) {
			return a.Delete(ctx, id, account.Delete{Username: c.name})
		})
	case n < 4:
		after.Enabled = !after.Enabled
		return c.do(ctx, after, func(a *management.Client, id account.RequestID) (management.Result, error) {
			if after.Enabled {
				return a.Enable(ctx, id, c.name)
			}
			return a.Suspend(ctx, id, c.name)
		})
	case n < 6:
		after.Role = map[account.Role]account.Role{account.User: account.Admin, account.Admin: account.User}[after.Role]
		return c.do(ctx, after, func(a *management.Client, id account.RequestID) (management.Result, error) {
			return a.Edit(ctx, id, account.Edit{Username: c.name, Role: after.Role})
		})
	case n < 10 && len(after.Grants) > 0:
		held := slices.Sorted(maps.Keys(after.Grants))
		environment = held[c.draw.IntN(len(held))]
		after.Grants = after.Grants.Without(environment)
		return c.do(ctx, after, func(a *management.Client, id account.RequestID) (management.Result, error) {
			return a.Revoke(ctx, id, account.Revoke{Username: c.name, Environment: environment})
		})
	}
	after.Grants = after.Grants.With(environment, account.Write)
	return c.do(ctx, after, func(a *management.Client, id account.RequestID) (management.Result, error) {
		return a.Grant(ctx, id, account.Grant{Username: c.name, Permission: account.Write, Environment: environment})
	})
}

// do asks for a change until it is acknowledged.
func (c *clerk) do(ctx context.Context, after account.Account, ask func(*management.Client, account.RequestID) (management.Result, error)) error {
	var id account.RequestID
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if c.admin == nil {
			if c.admin, err = c.host.Login(hosttest.Administrator, string(c.password)); err == nil {
				c.logins = append(c.logins, time.Now())
			}
		}
		if err == nil && id.IsZero() {
			if id, err = c.admin.Request(ctx); err == nil {
				c.deeds = append(c.deeds, deed{id: id.String(), began: time.Now(), after: after})
			}
		}
		var r management.Result
		if err == nil {
			r, err = ask(c.admin, id)
			if err != nil {
				c.deeds[len(c.deeds)-1].asked = true
			}
		}
		switch kind := account.KindOf(err); {
		case err == nil && !r.Changed:
			return fmt.Errorf("%s was answered as if it had changed nothing", id)
		case err == nil:
			c.deeds[len(c.deeds)-1].acked = time.Now()
			c.acked.Add(1)
			return nil
		case !slices.Contains([]account.Kind{
			account.KindUnavailable, account.KindOutcomeUnknown, account.KindThrottled, account.KindNotAuthenticated,
		}, kind):
			return err
		}
		if c.admin != nil {
			c.admin.Close()
			c.admin = nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}
