package bench_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/clients"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// BenchmarkLogin logs in over a connection that is there.
func BenchmarkLogin(b *testing.B) {
	byAccounts(b, func(b *testing.B, t *town) func() error {
		c := t.Dial()
		return func() error {
			_, err := c.Login(b.Context(), hosttest.Administrator, account.Secret(hosttest.Password))
			return err
		}
	}, hash, twoHops, commit, auditSync)
}

// BenchmarkLogins is how many logins a second many callers get through, against
// hashes alone, one on each processor: of clients, each from an address of its
// own, and of one administrator's programs.
func BenchmarkLogins(b *testing.B) {
	path := store(b, fewestOf())
	for _, callers := range []int{16, 64} {
		b.Run(fmt.Sprintf("listener=client/callers=%d", callers), func(b *testing.B) {
			h := plainly(hosttest.NewWithClients(b, "plugin:", "  settings:", "    path: "+path))
			h.Start()
			crowd := make([]*clients.Client, callers)
			for i := range crowd {
				crowd[i] = h.Clients()
			}
			logins(b, callers, func(caller int) error {
				token, err := crowd[caller].Login(hosttest.Address(caller), fmt.Sprintf("user%d", caller), hosttest.Password)
				if err != nil {
					return err
				}
				return crowd[caller].Logout(token)
			})
		})
	}
	const programsOfOneUser = 16 // far fewer than may stand in line; see host/throttle
	b.Run(fmt.Sprintf("listener=management/callers=%d", programsOfOneUser), func(b *testing.B) {
		t := newTown(b, fewestOf())
		programs := make([]*management.Client, programsOfOneUser)
		for i := range programs {
			programs[i] = t.Dial()
		}
		logins(b, programsOfOneUser, func(caller int) error {
			_, err := programs[caller].Login(b.Context(), hosttest.Administrator, account.Secret(hosttest.Password))
			return err
		})
	})
}

// logins takes the rates. On a machine that is busy with other things, a login
// may wait for its hash for so long that it is told to come again; it does.
func logins(b *testing.B, callers int, login func(caller int) error) {
	b.Helper()
	h := hash(b)
	const calls = 128
	subject := load{callers: callers, calls: calls, do: func(caller int) error {
		err := login(caller)
		for ; account.KindOf(err) == account.KindThrottled; err = login(caller) {
			time.Sleep(100 * time.Millisecond)
		}
		return err
	}}
	subject.against(b, &load{callers: runtime.GOMAXPROCS(0), calls: calls, do: func(int) error { return h.do() }})
}
