package etcd_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/plugin/users/storetest"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestStore(t *testing.T) {
	c := start(t)
	storetest.Run(t, func(t *testing.T) users.Store { return open(t, c, etcd.Options{}) })
}

// start starts one etcd that does not wait for the disk: what survives is tested
// elsewhere.
func start(t testing.TB, flags ...string) *etcdtest.Cluster {
	t.Helper()
	return etcdtest.StartWith(t, etcdtest.Options{Unsynced: true, Flags: flags})
}

// open opens a store under a prefix of its own, unless the options name one. It
// is closed when the test ends.
func open(t testing.TB, c *etcdtest.Cluster, o etcd.Options) *etcd.Store {
	t.Helper()
	if o.Prefix == "" {
		o.Prefix = fresh(t)
	}
	if o.Endpoints == nil {
		o.Endpoints = c.Endpoints()
	}
	s, err := etcd.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var prefixes = 0

// fresh is a prefix that no other test has.
func fresh(t testing.TB) string {
	prefixes++
	return fmt.Sprintf("/%s/%d/", strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return '_'
	}, t.Name()[:min(len(t.Name()), 100)]), prefixes)
}

// direct is etcd's own client.
func direct(t testing.TB, c *etcdtest.Cluster) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: c.Endpoints(), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func key(name string) users.Key { return users.Key{Space: users.Accounts, Name: name} }

func put(t testing.TB, s users.Store, k users.Key, value string) account.Revision {
	t.Helper()
	at, err := s.Update(t.Context(), func(tx users.Tx) error { return tx.Put(k, []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// get returns "" for an absent key.
func get(t testing.TB, s users.Store, k users.Key) (value string) {
	t.Helper()
	if err := s.View(t.Context(), func(r users.Reader) error {
		v, err := r.Get(k)
		value = string(v)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return value
}

// within ends a wait that would hang the test.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}
