package plugin_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// BenchmarkBackends is every operation of the users logic on each store, side by
// side, with a thousand accounts in it. What an operation on etcd takes is also
// given in transactions of etcd's own of the same run: empty ones, which etcd
// answers from one member's memory, and such as write a key.
func BenchmarkBackends(b *testing.B) {
	benches := backends(b)
	floors := map[string]float64{}
	for kind, ops := range map[string][]clientv3.Op{"empty": nil, "put": {clientv3.OpPut("floor", string(make([]byte, 300)))}} {
		b.Run("floor="+kind, func(b *testing.B) {
			floors[kind] = float64(benches.transaction(b, ops))
			b.ReportMetric(floors[kind], "ns-p50")
		})
	}
	for _, o := range operations {
		for _, on := range benches.services {
			b.Run(fmt.Sprintf("op=%s/backend=%s", o.name, on.name), func(b *testing.B) {
				took := on.measure(b, o)
				b.ReportMetric(float64(took), "ns-p50")
				if on.name == "etcd" {
					for kind, floor := range floors {
						b.ReportMetric(float64(took)/floor, kind+"-floors")
					}
				}
			})
		}
	}
}

// operation is one call of the users logic, the i-th of its kind.
type operation struct {
	name    string
	callers int
	call    func(ctx context.Context, s *service, i int) error
}

var operations = []operation{
	{"login", 1, func(ctx context.Context, s *service, i int) error {
		_, err := s.Authenticate(ctx, account.Credentials{Username: "admin", Password: account.Secret(password), Listener: account.ManagementListener})
		return err
	}},
	{"show", 1, func(ctx context.Context, s *service, i int) error {
		_, err := s.Show(ctx, s.admin, name(i))
		return err
	}},
	{"list-1000", 1, func(ctx context.Context, s *service, i int) error {
		_, _, err := s.List(ctx, s.admin, "")
		return err
	}},
	{"create", 1, func(ctx context.Context, s *service, i int) error {
		_, err := s.Create(ctx, s.invocation(), account.Create{Username: s.fresh(), Password: account.Secret(password), Role: account.User})
		return err
	}},
	{"create-without-its-hash", 1, func(ctx context.Context, s *service, i int) error {
		_, err := s.Apply(ctx, s.invocation(), account.Desired{Username: s.fresh(), PasswordHash: s.hash})
		return err
	}},
	{"edit-role", 1, func(ctx context.Context, s *service, i int) error {
		_, err := s.Edit(ctx, s.invocation(), account.Edit{Username: name(i), Role: []account.Role{account.Admin, account.User}[i/accounts%2]})
		return err
	}},
	{"password", 1, func(ctx context.Context, s *service, i int) error {
		_, err := s.Password(ctx, s.invocation(), account.Password{Username: name(i), Password: account.Secret(password)})
		return err
	}},
	{"suspend-enable", 1, func(ctx context.Context, s *service, i int) error {
		if i/accounts%2 == 0 {
			_, err := s.Suspend(ctx, s.invocation(), name(i))
			return err
		}
		_, err := s.Enable(ctx, s.invocation(), name(i))
		return err
	}},
	{"grant", 1, grant},
	{"grant-by-64-callers", 64, grant},
	{"revoke", 1, func(ctx context.Context, s *service, i int) error {
		_, err := s.Revoke(ctx, s.invocation(), account.Revoke{Username: name(i), Environment: "e0"})
		return err
	}},
	{"create-and-delete", 1, func(ctx context.Context, s *service, i int) error {
		who := s.fresh()
		if _, err := s.Apply(ctx, s.invocation(), account.Desired{Username: who, PasswordHash: s.hash}); err != nil {
			return err
		}
		_, err := s.Delete(ctx, s.invocation(), account.Delete{Username: who})
		return err
	}},
	{"heartbeat", 1, func(ctx context.Context, s *service, i int) error { return s.beat(ctx) }},
}

func grant(ctx context.Context, s *service, i int) error {
	_, err := s.Grant(ctx, s.invocation(), account.Grant{Username: name(i), Environment: fmt.Sprintf("e%d", i/accounts), Permission: account.Read})
	return err
}

const accounts = 1000

// name is one of the accounts that are there from the start.
func name(i int) string { return fmt.Sprintf("account%04d", i%accounts) }

// service is the users logic over one backend.
type service struct {
	*users.Service
	name  string
	admin account.Caller
	hash  account.Secret

	mu     sync.Mutex // guards made
	made   int
	beats  chan account.WatchRequest
	beaten chan struct{}
}

// fresh is a name that nobody has.
func (s *service) fresh() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return fmt.Sprintf("fresh%d", s.made)
}

func (s *service) invocation() account.Invocation {
	return account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: s.admin, Host: "bench"}
}

func (s *service) beat(ctx context.Context) error {
	s.beats <- account.WatchRequest{Heartbeat: 1}
	select {
	case <-s.beaten:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// measure returns the median. Of many callers it is a call's share of the time
// that all took.
func (s *service) measure(b *testing.B, o operation) time.Duration {
	var took []time.Duration
	if o.callers == 1 {
		for i := 0; b.Loop(); i++ {
			began := time.Now()
			if err := o.call(b.Context(), s, i); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	began, n := time.Now(), 0
	calls, failed := make(chan int), make(chan error, o.callers)
	var callers sync.WaitGroup
	for range o.callers {
		callers.Go(func() {
			for i := range calls {
				if err := o.call(b.Context(), s, i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for ; b.Loop(); n++ {
		select {
		case calls <- n:
		case err := <-failed:
			b.Fatal(err)
		}
	}
	close(calls)
	callers.Wait()
	return time.Since(began) / time.Duration(n)
}

type benched struct {
	services []*service
	client   *clientv3.Client
}

func (b *benched) transaction(t *testing.B, ops []clientv3.Op) time.Duration {
	var took []time.Duration
	for t.Loop() {
		began := time.Now()
		if _, err := b.client.Txn(t.Context()).Then(ops...).Commit(); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// backends opens each, with the accounts in it.
func backends(b *testing.B) *benched {
	b.Helper()
	endpoints := etcdtest.Start(b, 1).Endpoints()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 10 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close() })
	all := &benched{client: client}
	for _, o := range []struct {
		name string
		open func(context.Context) (users.Store, error)
	}{
		{"mem", func(context.Context) (users.Store, error) { return mem.New(), nil }},
		{"bolt", func(ctx context.Context) (users.Store, error) {
			return bolt.Open(ctx, filepath.Join(b.TempDir(), "accounts.db"), bolt.Options{})
		}},
		{"etcd", func(ctx context.Context) (users.Store, error) {
			return etcd.Open(ctx, etcd.Options{Endpoints: endpoints})
		}},
	} {
		all.services = append(all.services, open(b, o.name, o.open))
	}
	return all
}

func open(b *testing.B, backend string, store func(context.Context) (users.Store, error)) *service {
	b.Helper()
	ctx := b.Context()
	s := &service{
		name: backend, beats: make(chan account.WatchRequest), beaten: make(chan struct{}),
		Service: users.New(users.Backend{
			Name: backend, Open: func(ctx context.Context, _ string, _ map[string]string) (users.Store, error) { return store(ctx) },
		}, hclog.NewNullLogger()),
	}
	b.Cleanup(func() { s.Close() })
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	_, err := s.Configure(ctx, account.Configuration{Home: b.TempDir()})
	check(err)
	_, err = s.Initialize(ctx, account.FirstAdministrator{Username: "admin", Password: account.Secret(password), RequestID: account.NewRequestID(time.Now())})
	check(err)
	login, err := s.Authenticate(ctx, account.Credentials{Username: "admin", Password: account.Secret(password), Listener: account.ManagementListener})
	check(err)
	s.admin = account.Caller{Username: "admin", AccountID: login.Account.ID, Generation: login.Account.Generation}
	exported, _, err := s.Export(ctx, s.admin, "")
	check(err)
	s.hash = exported[0].PasswordHash
	for i := range accounts {
		_, err := s.Apply(ctx, s.invocation(), account.Desired{Username: name(i), PasswordHash: s.hash})
		check(err)
	}
	watching, end := context.WithCancel(context.Background())
	b.Cleanup(end)
	go s.Watch(watching, s.beats, func(e account.WatchEvent) error {
		if e.Heartbeat != nil {
			s.beaten <- struct{}{}
		}
		return nil
	})
	return s
}
