package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule5CutOffFromEtcd shows that a host which hears nothing of etcd refuses
// past its lease, says why, and knows what the other hosts did meanwhile before
// it lets anybody in again; that the sessions of whoever was not concerned go
// on; and what becomes of sessions when etcd is restored.
func TestRule5CutOffFromEtcd(t *testing.T) {
	t.Parallel()
	t.Run("Silence", func(t *testing.T) { t.Parallel(); cutOff(t, (*etcdtest.Cluster).Partition) })
	t.Run("Cut", func(t *testing.T) { t.Parallel(); cutOff(t, (*etcdtest.Cluster).Cut) })
	t.Run("Restored", func(t *testing.T) { t.Parallel(); restored(t) })
	t.Run("AnotherPrefix", func(t *testing.T) { t.Parallel(); anotherPrefix(t) })
}

// cutOff cuts one of two hosts off from its member of etcd.
func cutOff(t *testing.T, cut func(*etcdtest.Cluster, int, etcdtest.Traffic)) {
	c := etcdtest.Start(t, 3)
	one := hosttest.Start(t, onEtcd(c.Endpoints()[:1])...)
	other := hosttest.Start(t, onEtcd(c.Endpoints()[1:2], "lease: 2s", "lease_wait: 200ms")...)
	admin := one.Admin()
	targets := map[string]change{
		"suspended": suspend, "deleted": deleteUser, "changed": setPassword("another from now on"), "demoted": setRole(account.User),
	}
	sessions := map[string]*management.Client{}
	for name := range targets {
		create(t, admin, name, account.Admin)
		sessions[name] = other.As(name, secret)
	}
	steady := other.Admin()
	cut(c, 1, etcdtest.Clients)
	var refusal error
	hosttest.Await(t, "calls are refused", func() bool {
		_, refusal = steady.Request(t.Context())
		return refusal != nil
	})
	for name, end := range targets {
		must(end(t.Context(), admin, anew, name))(t)
	}
	wantKind(t, "a call past the lease", refusal, account.KindUnavailable, account.ReasonPastLease)
	if !strings.Contains(refusal.Error(), "out of touch with the store") {
		t.Errorf("the refusal does not say why: %v", refusal)
	}
	_, err := other.Login("suspended", secret)
	wantKind(t, "a login past the lease", err, account.KindUnavailable, account.ReasonPastLease)
	if out := other.Run("", "users", "show", "suspended"); out.Code != 7 {
		t.Errorf("on the command line: %+v, want exit code 7", out)
	}
	c.Heal(1, etcdtest.Clients)
	for name, session := range sessions {
		var err error
		hosttest.Await(t, "the host answers again", func() bool {
			_, err = session.Request(t.Context())
			return account.ReasonOf(err) != account.ReasonPastLease
		})
		wantKind(t, "the first answer to who was "+name, err, account.KindNotAuthenticated, "")
	}
	hosttest.Await(t, "the session that was not concerned goes on", func() bool { return admitted(t, steady) })
	_, err = other.Login("suspended", secret)
	wantKind(t, "a login of who was suspended", err, account.KindNotPermitted, account.ReasonSuspended)
	_, err = other.Login("changed", secret)
	wantKind(t, "a login with the password of before", err, account.KindNotAuthenticated, "")
	other.As("changed", "another from now on")
}

// restored puts etcd back to a snapshot while two hosts run. The store's
// identity is in the snapshot; that it went back shows in the revision, and
// ends every session. From then on one host hears at once of what the other
// does.
func restored(t *testing.T) {
	c := etcdtest.Start(t, 3)
	hosts := sharing(t, c, 2, "lease: 3s")
	admin := hosts[0].Admin()
	create(t, admin, "kept", account.Admin)
	snapshot := c.Snapshot(c.Leader())
	create(t, admin, "lost", account.Admin)
	for range 5 {
		must(grant("e")(t.Context(), admin, anew, "kept"))(t)
		must(revoke("e")(t.Context(), admin, anew, "kept"))(t)
	}
	sessions := []*management.Client{admin, hosts[0].As("lost", secret), hosts[1].As("kept", secret), hosts[1].As("lost", secret)}
	c.RestoreFrom(snapshot)
	for _, s := range sessions {
		var err error
		hosttest.Await(t, "a session of before has ended", func() bool {
			_, err = s.Request(t.Context())
			return account.KindOf(err) == account.KindNotAuthenticated
		})
	}
	_, err := hosts[1].Login("lost", secret)
	wantKind(t, "an account that the snapshot has not", err, account.KindNotAuthenticated, "")
	admin = hosts[0].Admin()
	for range 3 {
		kept := hosts[1].As("kept", secret)
		must(suspend(t.Context(), admin, anew, "kept"))(t)
		began := time.Now()
		hosttest.Await(t, "the other host hears of a suspension", func() bool {
			_, err := kept.Request(t.Context())
			if err != nil {
				wantKind(t, "a session of who was suspended", err, account.KindNotAuthenticated, "")
			}
			return err != nil
		})
		t.Logf("heard after %v", time.Since(began))
		must(enable(t.Context(), admin, anew, "kept"))(t)
	}
}

// anotherPrefix is another store: a host that is told to use it by a reload
// ends every session.
func anotherPrefix(t *testing.T) {
	c := etcdtest.StartWith(t, etcdtest.Options{Unsynced: true})
	h := hosttest.Start(t, onEtcd(c.Endpoints())...)
	admin := h.Admin()
	create(t, admin, "jeff", account.User)
	h.Configure(onEtcd(c.Endpoints(), "    prefix: /another/")...)
	if out := h.Run("", "plugin", "reload"); out.Code != 0 {
		t.Fatalf("reload: %+v", out)
	}
	hosttest.Await(t, "the session has ended", func() bool {
		_, err := admin.Request(t.Context())
		return account.KindOf(err) == account.KindNotAuthenticated
	})
	_, err := h.Admin().Show(t.Context(), "jeff")
	wantKind(t, "an account of the other store", err, account.KindNotFound, "")
}
