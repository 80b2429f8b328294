package host_test

import (
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
)

// The files rules_etcd_*_test.go show what the rules say of hosts that share
// their accounts: real hosts, each with its plugin, over real members of etcd.

// onEtcd are the settings of a host that reaches etcd at the endpoints.
func onEtcd(endpoints []string, settings ...string) []string {
	return append([]string{"plugin:", "  path: etcd", "  settings:", "    endpoints: " + strings.Join(endpoints, ",")}, settings...)
}

// sharing starts hosts that share the accounts in a cluster.
func sharing(t testing.TB, c *etcdtest.Cluster, hosts int, settings ...string) (all []*hosttest.Host) {
	t.Helper()
	for range hosts {
		all = append(all, hosttest.Start(t, onEtcd(c.Endpoints(), settings...)...))
	}
	return all
}
