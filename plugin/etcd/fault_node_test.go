package etcd_test

import (
	"context"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// node is what one host runs as its plugin: the users-management logic over a
// store of its own, all of which share one cluster.
type node struct {
	name    string
	service *users.Service
	store   users.Store
}

// newNode opens a store at the endpoints. It is closed with the test.
func newNode(t *testing.T, name string, endpoints ...string) *node {
	t.Helper()
	n := &node{name: name}
	n.service = users.New(users.Backend{
		Name: "etcd", Version: "test",
		Open: func(ctx context.Context, _ string, _ map[string]string) (users.Store, error) {
			s, err := etcd.Open(ctx, etcd.Options{Endpoints: endpoints, RequestTimeout: 700 * time.Millisecond})
			if err != nil {
				return nil, err // not a nil *Store
			}
			n.store = s
			return s, nil
		},
	}, hclog.NewNullLogger())
	t.Cleanup(func() {
		if err := n.service.Close(); err != nil {
			t.Errorf("close %s: %v", name, err)
		}
	})
	if _, err := n.service.Configure(t.Context(), account.Configuration{Home: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	return n
}

// soonEnough bounds every wait, generously: a wait that ends is never a
// measurement.
const soonEnough = time.Minute

// eventually waits until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(soonEnough); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is still not so that %s", soonEnough, what)
		}
	}
}
