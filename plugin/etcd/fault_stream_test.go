package etcd_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// apart is a cluster with two nodes that have a member each, so that one can be
// cut off from the store without the other, a worker at one of them, and the
// stream of the other.
type apart struct {
	*etcdtest.Cluster
	near, far *node // at member 0 and at member 1
	worker    *worker
	follower  *follower // of the far one
	n         int
}

func newApart(t *testing.T) *apart {
	t.Helper()
	c := etcdtest.Start(t, 3)
	a := &apart{Cluster: c, near: newNode(t, "near", c.Endpoints()[0]), far: newNode(t, "far", c.Endpoints()[1])}
	l := &load{nodes: []*node{a.near}}
	l.prepare(t)
	a.worker = &worker{load: l, node: a.near, name: loadAdmins[0]}
	a.follower = follow(t, a.far, l)
	a.follower.getsOn(t, 2)
	return a
}

// change grants the first user one more environment and returns its name.
func (a *apart) change(t *testing.T) (environment string) {
	t.Helper()
	a.n++
	environment = fmt.Sprintf("env%d", a.n)
	eventually(t, "a change is acknowledged", func() bool {
		before := a.worker.load.acknowledged.Load()
		if err := a.worker.change(account.VerbGrant, loadUsers[0], func(ctx context.Context, in account.Invocation) error {
			_, err := a.near.service.Grant(ctx, in, account.Grant{Username: loadUsers[0], Permission: account.Read, Environment: environment})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return a.worker.load.acknowledged.Load() > before
	})
	return environment
}

// delivered fails the test unless the far stream's next heartbeat knows of the
// grants.
func (a *apart) delivered(t *testing.T, environments ...string) {
	t.Helper()
	s := a.follower.knows(t, loadUsers[0])
	for _, e := range environments {
		if !s.Grants.Holds(e, account.Read) {
			t.Errorf("a heartbeat that was asked for after the grant in %s knows of %v only", e, s.Grants)
		}
	}
}

// TestFaultSilentWatch lets nothing pass to a node whose stream is open: no
// heartbeat is answered, calls are refused in time, and once something passes
// again, what was missed is known before a heartbeat is.
func TestFaultSilentWatch(t *testing.T) {
	t.Parallel()
	a := newApart(t)
	for what, stop := range map[string]func(int, etcdtest.Traffic){"Partition": a.Partition, "Cut": a.Cut} {
		stop(1, etcdtest.Clients)
		missed := a.change(t)
		beats := a.follower.beats.Load()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		began := time.Now()
		_, err := a.far.service.Show(ctx, a.worker.caller, loadUsers[0])
		cancel()
		if account.KindOf(err) != account.KindUnavailable || time.Since(began) > 8*time.Second {
			t.Errorf("%s: a call answers %v (kind %v) after %v, want that it is unavailable, and soon", what, err, account.KindOf(err), time.Since(began))
		}
		if now := a.follower.beats.Load(); now > beats+1 { // one was under way
			t.Errorf("%s: %d heartbeats were answered by a node that hears nothing", what, now-beats)
		}
		later := a.change(t)
		a.Heal(1, etcdtest.Clients)
		a.delivered(t, missed, later)
	}
	a.check(a.history(t))
}

// TestFaultIsolatedMember isolates the only member that a node has from the
// others: it can neither read nor write, and says so, until all is well.
func TestFaultIsolatedMember(t *testing.T) {
	t.Parallel()
	a := newApart(t)
	a.Partition(1, etcdtest.Peers)
	missed := a.change(t)
	beats := a.follower.beats.Load()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := a.far.service.Show(ctx, a.worker.caller, loadUsers[0])
	if account.KindOf(err) != account.KindUnavailable {
		t.Errorf("a read answers %v (kind %v), want that it is unavailable", err, account.KindOf(err))
	}
	if now := a.follower.beats.Load(); now > beats+1 {
		t.Errorf("%d heartbeats were answered by a node that knows no leader", now-beats)
	}
	a.Heal(1, etcdtest.Peers)
	a.delivered(t, missed, a.change(t))
	a.check(a.history(t))
}

// TestFaultCompaction compacts what a node that hears nothing has not seen yet.
func TestFaultCompaction(t *testing.T) {
	t.Parallel()
	a := newApart(t)
	h := a.history(t)
	for round := range 3 {
		a.Partition(1, etcdtest.Clients)
		missed := []string{a.change(t), a.change(t)}
		h.read()
		a.Compact(0)
		missed = append(missed, a.change(t))
		if round == 1 {
			a.Cut(1, etcdtest.Clients) // so that the stream has to be opened anew
		}
		a.Heal(1, etcdtest.Clients)
		a.delivered(t, missed...)
	}
	a.check(h)
}

// TestFaultRestore restores the cluster from a snapshot under a node's open
// stream: that the store went back is told by the revision of a heartbeat, or
// the stream ends and everything is read again. Either way the node knows at
// once of what is changed from then on.
func TestFaultRestore(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"RevisionGoesBack": nil,
		"RevisionGoesOn":   {"--bump-revision", "1000000", "--mark-compacted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newApart(t)
			kept := a.change(t)
			snapshot := a.Snapshot(0)
			var lost []string
			for range 20 {
				lost = append(lost, a.change(t))
			}
			a.delivered(t, lost...)
			a.RestoreFrom(snapshot, flags...)
			a.worker.caller = account.Caller{}
			for range 5 {
				a.delivered(t, kept, a.change(t))
			}
			s := a.follower.knows(t, loadUsers[0])
			for _, e := range lost {
				if s.Grants.Holds(e, account.Read) {
					t.Errorf("a grant in %s is still known, which the restored store has not", e)
				}
			}
			a.follower.mu.Lock()
			defer a.follower.mu.Unlock()
			if want := len(flags) == 0; (a.follower.backs == 1) != want {
				t.Errorf("the revision was seen to go back %d times", a.follower.backs)
			}
		})
	}
}

func (a *apart) history(t *testing.T) *history {
	t.Helper()
	return newHistory(t, a.Endpoints()[2:])
}

func (a *apart) check(h *history) {
	h.t.Helper()
	a.follower.stop()
	h.check(a.worker.load)
}
