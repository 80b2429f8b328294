package etcdtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
)

// soon is long for one request on this machine, and short for a test.
const soon = 2 * time.Second

// dial connects to one member through its proxy.
func dial(t *testing.T, c *etcdtest.Cluster, i int) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: c.Endpoints()[i : i+1], Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// ask sends one request that etcd answers only after it has asked a majority.
func ask(t *testing.T, client *clientv3.Client) error {
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err := client.Get(ctx, "key")
	return err
}

func put(t *testing.T, client *clientv3.Client, value string) {
	t.Helper()
	if _, err := client.Put(t.Context(), "key", value); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, client *clientv3.Client) (value string, revision int64) {
	t.Helper()
	r, err := client.Get(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range r.Kvs {
		value = string(kv.Value)
	}
	return value, r.Header.Revision
}

// await waits until requests through the member come through, or do not.
func await(t *testing.T, client *clientv3.Client, answered bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); (ask(t, client) == nil) != answered; {
		if time.Now().After(end) {
			t.Fatalf("after a minute it is still not so that answered is %v", answered)
		}
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c := etcdtest.StartWith(t, etcdtest.Options{Unsynced: true})
	t.Logf("one member was ready after %v", time.Since(began))
	client := dial(t, c, 0)
	put(t, client, "value")
	if v, _ := get(t, client); v != "value" || c.Leader() != 0 {
		t.Errorf("%q, leader %d", v, c.Leader())
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	c := etcdtest.Start(t, 3)
	client := dial(t, c, 0)
	put(t, client, "kept")
	leader := c.Leader()
	c.Kill(leader)
	if now := c.Leader(); now == leader {
		t.Errorf("the dead member %d leads", leader)
	}
	c.Restart(leader)
	c.RestartAll()
	if v, _ := get(t, client); v != "kept" {
		t.Errorf("the cluster holds %q", v)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	c := etcdtest.Start(t, 1)
	client := dial(t, c, 0)
	await(t, client, true)
	c.Stop(0)
	if err := ask(t, client); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stopped member answered: %v", err)
	}
	c.Continue(0)
	await(t, client, true)
}

func TestClientTraffic(t *testing.T) {
	t.Parallel()
	c := etcdtest.Start(t, 1)
	client := dial(t, c, 0)
	for what, stop := range map[string]func(int, etcdtest.Traffic){"Cut": c.Cut, "Partition": c.Partition} {
		await(t, client, true)
		stop(0, etcdtest.Clients)
		await(t, client, false)
		if c.Leader() != 0 {
			t.Errorf("%s: the member itself is gone", what)
		}
		c.Heal(0, etcdtest.Clients)
		await(t, client, true)
	}
	const delay = 50 * time.Millisecond
	c.Delay(0, etcdtest.Clients, delay)
	began := time.Now()
	if err := ask(t, client); err != nil || time.Since(began) < 2*delay {
		t.Errorf("with a delay of %v each way: %v after %v", delay, err, time.Since(began))
	}
}

// TestPeerTraffic isolates the leader, which cannot answer any more, while the
// others elect another; healed, it follows.
func TestPeerTraffic(t *testing.T) {
	t.Parallel()
	c := etcdtest.Start(t, 3)
	for what, stop := range map[string]func(int, etcdtest.Traffic){"Cut": c.Cut, "Partition": c.Partition} {
		old := c.Leader()
		alone, other := dial(t, c, old), dial(t, c, (old+1)%3)
		stop(old, etcdtest.Peers)
		await(t, alone, false)
		await(t, other, true)
		put(t, other, what)
		if now := c.Leader(); now == old {
			t.Errorf("%s: the isolated member %d leads", what, old)
		}
		c.Heal(old, etcdtest.Peers)
		await(t, alone, true)
		if v, _ := get(t, alone); v != what {
			t.Errorf("%s: the member that came back says %q", what, v)
		}
	}
}

func TestRestoreFrom(t *testing.T) {
	t.Parallel()
	c := etcdtest.Start(t, 3)
	client := dial(t, c, 0)
	put(t, client, "before")
	_, then := get(t, client)
	snapshot := c.Snapshot(c.Leader())
	for n := range 10 {
		put(t, client, fmt.Sprint("later ", n))
	}
	_, at := get(t, client)
	c.RestoreFrom(snapshot)
	await(t, client, true)
	if v, now := get(t, client); v != "before" || now != then {
		t.Errorf("restored to %q at revision %d, want it as it was at %d", v, now, then)
	}
	c.RestoreFrom(snapshot, "--bump-revision", "1000", "--mark-compacted")
	await(t, client, true)
	if v, now := get(t, client); v != "before" || now <= at {
		t.Errorf("restored to %q at revision %d, want one after %d", v, now, at)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	c := etcdtest.Start(t, 3)
	client := dial(t, c, 0)
	for range 3 {
		put(t, client, "x")
	}
	at := c.Compact(0)
	if _, err := client.Get(t.Context(), "key", clientv3.WithRev(at-1)); err == nil {
		t.Error("what was forgotten can be read")
	}
	if _, err := client.Get(t.Context(), "key", clientv3.WithRev(at)); err != nil {
		t.Error(err)
	}
}
