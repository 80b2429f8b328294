package etcdtest

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait, generously: a wait that ends is never a
// measurement.
const patience = 60 * time.Second

// Options say what a cluster is like.
type Options struct {
	Members int // 1 if 0
	// Unsynced members don't wait for the disk: faster, and not for a test
	// of what survives.
	Unsynced bool
	// Flags are added to each member's command line.
	Flags []string
	// TLS is how this package's own clients connect, with a ServerName, where
	// the flags make the members want TLS of their clients.
	TLS *tls.Config
}

// Cluster is some members of etcd. Methods that can fail the test belong to the
// test's own goroutine; those that change what passes belong to any.
type Cluster struct {
	t       testing.TB
	options Options
	dir     string
	members []*member
	peerTLS *tls.Config

	restored  int // how often: each makes another cluster of the members
	snapshots int
}

// Start starts a cluster whose members are numbered from 0, and waits until
// each of them answers. It is ended with the test.
func Start(t testing.TB, members int) *Cluster {
	t.Helper()
	return StartWith(t, Options{Members: members})
}

// StartWith is Start for a cluster that is not like most.
func StartWith(t testing.TB, o Options) *Cluster {
	t.Helper()
	// Short, since sockets live in it; t.TempDir() names the test.
	dir, err := os.MkdirTemp("", "e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	o.Members = max(o.Members, 1)
	c := &Cluster{t: t, options: o, dir: dir}
	if c.peerTLS, err = selfSigned(); err != nil {
		t.Fatal(err)
	}
	for i := range o.Members {
		c.members = append(c.members, newMember(c, i))
	}
	for _, m := range c.members {
		m.listen()
	}
	t.Cleanup(c.end)
	c.RestartAll()
	return c
}

// end kills what still runs, and shows what members said if the test failed.
func (c *Cluster) end() {
	for _, m := range c.members {
		m.kill()
		for _, g := range m.gates() {
			g.set(true, false, 0)
		}
		if said := m.output.end(); c.t.Failed() && said != "" {
			c.t.Logf("etcd's member %d said at its end:\n%s", m.number, said)
		}
	}
}

// Endpoints are where clients reach the members, in their order: addresses of
// proxies, which stay the same whatever becomes of the members.
func (c *Cluster) Endpoints() (all []string) {
	for _, m := range c.members {
		all = append(all, m.endpoint)
	}
	return all
}

// Kill ends a member with SIGKILL, and waits for its end.
func (c *Cluster) Kill(i int) { c.members[i].kill() }

// Stop stops a member with SIGSTOP, and returns when it runs no more.
func (c *Cluster) Stop(i int) { c.t.Helper(); c.members[i].stop() }

// Continue lets a stopped member go on.
func (c *Cluster) Continue(i int) { c.t.Helper(); c.members[i].cont() }

// Restart kills the members, those that run, before it starts them again over
// what they left on their disks, and waits until each answers: so a majority
// must run then.
func (c *Cluster) Restart(members ...int) {
	c.t.Helper()
	for _, i := range members {
		c.members[i].kill()
	}
	for _, i := range members {
		c.members[i].start()
	}
	for _, i := range members {
		c.members[i].awaitReady()
	}
}

// RestartAll kills all members before it starts them again.
func (c *Cluster) RestartAll() {
	c.t.Helper()
	c.Restart(c.all()...)
}

func (c *Cluster) all() (members []int) {
	for i := range c.members {
		members = append(members, i)
	}
	return members
}

// initial is the value of etcd's --initial-cluster.
func (c *Cluster) initial() string {
	var all []string
	for _, m := range c.members {
		all = append(all, m.name()+"="+m.peerURL())
	}
	return strings.Join(all, ",")
}

func (c *Cluster) token() string { return fmt.Sprintf("tested%d", c.restored) }

// secure is what makes a scheme one of TLS, if clients use that.
func (c *Cluster) secure() string {
	if c.options.TLS != nil {
		return "s"
	}
	return ""
}
