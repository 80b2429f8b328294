package etcdtest

import (
	"context"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// dial connects to the member itself, past the proxy.
func (m *member) dial() (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{m.clientURL()}, TLS: m.cluster.options.TLS, Logger: zap.NewNop()})
}

// leader returns the id of the member that leads as this one knows it, 0 if it
// knows none, and this one's own.
func (m *member) leader(ctx context.Context) (leads, self uint64) {
	client, err := m.dial()
	if err != nil {
		return 0, 0
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s, err := client.Status(ctx, client.Endpoints()[0])
	if err != nil {
		return 0, 0
	}
	return s.Leader, s.Header.MemberId
}

// Leader waits until a member says that it leads and a majority agrees, and
// returns its number.
func (c *Cluster) Leader() int {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		votes, number := map[uint64]int{}, map[uint64]int{}
		for i, m := range c.members {
			if m.process == nil {
				continue
			}
			leads, self := m.leader(context.Background())
			votes[leads]++
			number[self] = i
		}
		for leads, n := range votes {
			if i, known := number[leads]; leads != 0 && known && 2*n > len(c.members) {
				return i
			}
		}
		if time.Now().After(end) {
			c.t.Fatalf("after %v there is no leader", patience)
		}
	}
}

// Compact makes etcd forget what keys were before the revision, or before the
// newest one if that is 0, and returns it.
func (c *Cluster) Compact(revision int64) int64 {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := c.members[c.Leader()].dial()
	if err != nil {
		c.t.Fatal(err)
	}
	defer client.Close()
	if revision == 0 {
		r, err := client.Get(ctx, "none")
		if err != nil {
			c.t.Fatal(err)
		}
		revision = r.Header.Revision
	}
	if _, err := client.Compact(ctx, revision, clientv3.WithCompactPhysical()); err != nil {
		c.t.Fatalf("compact: %v", err)
	}
	return revision
}
