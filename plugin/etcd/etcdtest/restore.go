package etcdtest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Snapshot writes what a member holds into a file and returns its path.
func (c *Cluster) Snapshot(i int) (path string) {
	c.t.Helper()
	c.snapshots++
	path = filepath.Join(c.dir, fmt.Sprintf("snapshot%d", c.snapshots))
	if err := c.snapshot(i, path); err != nil {
		c.t.Fatalf("snapshot of member %d: %v", i, err)
	}
	return path
}

func (c *Cluster) snapshot(i int, path string) error {
	client, err := c.members[i].dial()
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	from, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if closed := to.Close(); err == nil {
		err = closed
	}
	return err
}

// RestoreFrom kills all members, makes of the snapshot a new cluster of them, as
// an operator does after a loss, and starts it. Further flags are those of
// "etcdutl snapshot restore".
func (c *Cluster) RestoreFrom(snapshot string, flags ...string) {
	c.t.Helper()
	utility, err := utility()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, m := range c.members {
		m.kill()
	}
	c.restored++
	for _, m := range c.members {
		if err := os.RemoveAll(m.data()); err != nil {
			c.t.Fatal(err)
		}
		out, err := exec.Command(utility, append([]string{
			"snapshot", "restore", snapshot, "--name", m.name(), "--data-dir", m.data(),
			"--initial-cluster", c.initial(), "--initial-cluster-token", c.token(), "--initial-advertise-peer-urls", m.peerURL(),
		}, flags...)...).CombinedOutput()
		if err != nil {
			c.t.Fatalf("restore member %d: %v\n%s", m.number, err, out)
		}
	}
	c.RestartAll()
}
