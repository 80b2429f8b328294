package hosttest

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/clients"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// NewWithClients is New for a host that clients reach too, by Clients and Crowd.
func NewWithClients(t testing.TB, settings ...string) *Host {
	t.Helper()
	h := New(t, settings...)
	h.Executable = Build(t, "./host/testdata/clients")
	h.Env = append(h.Env, "CONCOURSE_PLUGIN_DIRECTORY="+filepath.Join(Bin(t), "plugins"))
	return h
}

// StartWithClients makes such a home and starts its host.
func StartWithClients(t testing.TB, settings ...string) *Host {
	t.Helper()
	h := NewWithClients(t, settings...)
	h.Start()
	return h
}

// OpenAccounts returns the settings of a host whose accounts any password opens,
// and no login hashes: the administrator and the users "user0" to "user<n-1>".
func OpenAccounts(t testing.TB, users int) []string {
	t.Helper()
	return []string{
		"plugin:", "  path: " + Build(t, "./host/testdata/open"), "  settings:", fmt.Sprintf("    users: '%d'", users),
	}
}

// Clients connects as clients do.
func (h *Host) Clients() *clients.Client {
	h.t.Helper()
	var c *clients.Client
	Await(h.t, "the host serves clients", func() bool { // which begins beside what makes it ready
		var err error
		c, err = clients.Dial(filepath.Join(h.Home, "clients.sock"))
		return err == nil
	})
	h.t.Cleanup(func() { c.Close() })
	return c
}

// Crowd is many clients that have logged in.
type Crowd struct {
	Tokens []session.Token

	connections []*clients.Client
}

// crowdConnections carry a crowd; crowdAtOnce of it log in at once.
const (
	crowdConnections = 8
	crowdAtOnce      = 64
)

// Crowd logs n clients in, each from an address of its own, and returns when all
// are in. They belong to the accounts in turn, whose passwords are all Password.
func (h *Host) Crowd(n int, usernames ...string) *Crowd {
	h.t.Helper()
	c := &Crowd{Tokens: make([]session.Token, n)}
	for range crowdConnections {
		c.connections = append(c.connections, h.Clients())
	}
	var next, in atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for worker := range crowdAtOnce {
		connection := c.connections[worker%crowdConnections]
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				token, err := connection.Login(Address(i), usernames[i%len(usernames)], Password)
				for ; account.KindOf(err) == account.KindThrottled; token, err = connection.Login(Address(i), usernames[i%len(usernames)], Password) {
					time.Sleep(100 * time.Millisecond)
				}
				if err != nil {
					failed.Store(&err)
					return
				}
				c.Tokens[i] = token
				in.Add(1)
			}
		})
	}
	stop := h.progress(&in, n)
	all.Wait()
	stop()
	if err := failed.Load(); err != nil {
		h.t.Fatalf("client %d of %d: %v", in.Load(), n, *err)
	}
	return c
}

// progress says every now and then how many are in.
func (h *Host) progress(in *atomic.Int64, n int) (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(20 * time.Second); ; {
			select {
			case <-tick.C:
				h.t.Logf("%d of %d clients are in after %v", in.Load(), n, time.Since(began).Round(time.Second))
			case <-done:
				tick.Stop()
				return
			}
		}
	}()
	return func() { close(done); <-stopped }
}

// Address returns the i-th of many addresses from which clients may come.
func Address(i int) string {
	return fmt.Sprintf("10.%d.%d.%d:%d", i>>16&255, i>>8&255, i&255, 1024+i%60000)
}

// Check returns why a client of the crowd is not let in any more.
func (c *Crowd) Check(i int) error {
	return c.connections[i%len(c.connections)].Check(c.Tokens[i])
}

// Close ends all of the crowd's sessions.
func (c *Crowd) Close() {
	for _, connection := range c.connections {
		connection.Close()
	}
}
