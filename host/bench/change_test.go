package bench_test

import (
	"fmt"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// anew is for changes that are no repeats.
var anew account.RequestID

// BenchmarkCreate makes accounts as "users create" does.
func BenchmarkCreate(b *testing.B) {
	byAccounts(b, func(b *testing.B, t *town) func() error {
		return func() error {
			_, err := t.Create(b.Context(), anew, account.Create{Username: newcomer(), Password: account.Secret(hosttest.Password), Role: account.User})
			return err
		}
	}, hash, twoHops, commit, auditSync)
}

// BenchmarkCreateWithoutHash makes accounts whose hashes are given.
func BenchmarkCreateWithoutHash(b *testing.B) {
	byAccounts(b, func(b *testing.B, t *town) func() error {
		return func() error { return createWithHash(b, t.Client, t.hash) }
	}, twoHops, commit, auditSync)
}

func createWithHash(b *testing.B, c *management.Client, hash account.Secret) error {
	_, err := c.Apply(b.Context(), anew, account.Desired{Username: newcomer(), Role: account.User, PasswordHash: hash})
	return err
}

// BenchmarkEdit makes one account after another an ADMIN and a USER again, which
// moves the counter of ADMINs.
func BenchmarkEdit(b *testing.B) {
	byAccounts(b, func(b *testing.B, t *town) func() error {
		edits := 0
		return func() error {
			username := fmt.Sprintf("user%d", edits/2*7919%t.n)
			role := []account.Role{account.Admin, account.User}[edits%2]
			edits++
			_, err := t.Edit(b.Context(), anew, account.Edit{Username: username, Role: role})
			return err
		}
	}, twoHops, commit, auditSync)
}

// BenchmarkGrant grants what nobody has.
func BenchmarkGrant(b *testing.B) {
	byAccounts(b, func(b *testing.B, t *town) func() error {
		grants := 0
		return func() error {
			grants++
			_, err := t.Grant(b.Context(), anew, account.Grant{
				Username: t.someone(), Environment: fmt.Sprintf("e%d", grants), Permission: account.Read,
			})
			return err
		}
	}, twoHops, commit, auditSync)
}

// BenchmarkChanges is how many changes a second many callers get through, of
// which commits and audit lines share their syncs, against one caller's.
func BenchmarkChanges(b *testing.B) {
	store(b, fewestOf())
	for _, callers := range []int{16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			t := newTown(b, fewestOf())
			clients := make([]*management.Client, callers)
			for i := range clients {
				clients[i] = t.Admin()
			}
			do := func(caller int) error { return createWithHash(b, clients[caller], t.hash) }
			many, one := load{callers: callers, calls: 30 * callers, do: do}, load{callers: 1, calls: 300, do: do}
			many.against(b, &one)
		})
	}
}
