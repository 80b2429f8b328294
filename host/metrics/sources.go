package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Sources are what a scrape reads. Every one answers at once, from the host's
// own memory.
type Sources struct {
	Sessions Sessions
	Audit    Audit
	Plugin   func() Plugin
	Clients  func() Clients
	Lease    time.Duration
}

// Sessions is the connection table.
type Sessions interface {
	Through(account.Listener) int
	Ended(session.Cause) uint64
	LeaseAge() (age time.Duration, ok bool)
}

// Audit is the audit log.
type Audit interface {
	Waiting() (lines int, since time.Time)
	Err() error
}

// Plugin is how the users plugin does.
type Plugin struct {
	Up        bool
	StartedAt time.Time // if it is up
	Restarts  int
}

// Clients is how the client port and the relay behind it do.
type Clients struct {
	Connections     int
	MostConnections int           // that may be open at once
	Relay           relay.Figures // zero without an upstream
}

// Read makes the sources part of what is served. It is called once.
func (m *Metrics) Read(s Sources) { m.registry.MustRegister(reader{s, m}) }

type reader struct {
	Sources
	metrics *Metrics
}

var (
	sessions     = describe("sessions", "Live sessions, by the listener that they came through.", "listener")
	sessionEnds  = describe("session_ends_total", "Sessions that have ended, by why.", "cause")
	pluginUp     = describe("plugin_up", "Whether a users plugin runs that the host passes calls to.")
	pluginStart  = describe("plugin_start_time_seconds", "When the users plugin that runs was started, in seconds since 1970. Absent while none runs.")
	restarts     = describe("plugin_restarts_total", "How often the users plugin was started again after a crash or a hang.")
	hashing      = describe("hashing", "Passwords that the users plugin is hashing or verifying. Absent if the plugin does not say.")
	hashWaiting  = describe("hashing_waiting", "Calls that wait in the users plugin for a place to hash. Absent if the plugin does not say.")
	connections  = describe("client_connections", "Connections of Concourse's drivers that are open.")
	mostOpen     = describe("client_max_connections", "How many connections of Concourse's drivers may be open at once: the setting client.max_connections, or what the limit of open files leaves.")
	relayed      = describe("relayed_calls_total", "Calls that were let in and handed to the relay.")
	relayFailed  = describe("relayed_call_failures_total", "Calls that were handed to the relay and got no whole answer of the upstream.")
	upstream     = describe("upstream_connections", "Connections to the upstream, by whether a call is under way on them.", "state")
	upLogins     = describe("upstream_logins_total", "Logins of the host's own at the upstream.")
	transactions = describe("open_transactions", "Transactions that sessions have open at the upstream.")
	lease        = describe("lease_seconds", "How old the host's knowledge of accounts may become before calls have to wait: the setting lease.")
	leaseAge     = describe("lease_age_seconds", "How old the host's knowledge of accounts is. Absent until the store has answered once.")
	auditWaiting = describe("audit_waiting_lines", "Lines of the audit log that wait to be on disk.")
	auditLag     = describe("audit_lag_seconds", "For how long the oldest line has waited that is not on disk.")
	auditBroken  = describe("audit_broken", "Whether the audit log takes no lines any more, so that the host takes no logins and no changes until it is started again.")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("concourse_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (reader) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		sessions, sessionEnds, connections, mostOpen, relayed, relayFailed, upstream, upLogins, transactions, pluginUp, pluginStart, restarts, hashing, hashWaiting,
		lease, leaseAge, auditWaiting, auditLag, auditBroken,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (r reader) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	count := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	for _, l := range listeners {
		gauge(sessions, float64(r.Sessions.Through(l)), string(l))
	}
	for _, c := range session.Causes() {
		count(sessionEnds, float64(r.Sessions.Ended(c)), strings.ReplaceAll(c.String(), " ", "_"))
	}

	clients := r.Clients()
	gauge(connections, float64(clients.Connections))
	gauge(mostOpen, float64(clients.MostConnections))
	count(relayed, float64(clients.Relay.Calls))
	count(relayFailed, float64(clients.Relay.Failures))
	gauge(upstream, float64(clients.Relay.InUse), "busy")
	gauge(upstream, float64(clients.Relay.Idle), "idle")
	count(upLogins, float64(clients.Relay.Logins))
	gauge(transactions, float64(clients.Relay.Transactions))

	plugin := r.Plugin()
	gauge(pluginUp, oneIf(plugin.Up))
	count(restarts, float64(plugin.Restarts))
	if plugin.Up {
		gauge(pluginStart, float64(plugin.StartedAt.UnixMilli())/1000)
	}
	// What was said longer than a lease ago, or by a plugin that is gone, says
	// nothing of now.
	if t := r.metrics.load.Load(); t != nil && plugin.Up && time.Since(t.at) < r.Lease {
		gauge(hashing, float64(t.Hashing))
		gauge(hashWaiting, float64(t.HashWaiting))
	}

	gauge(lease, r.Lease.Seconds())
	if age, ok := r.Sessions.LeaseAge(); ok {
		gauge(leaseAge, age.Seconds())
	}

	lines, since := r.Audit.Waiting()
	gauge(auditWaiting, float64(lines))
	lag := 0.0
	if lines > 0 {
		lag = time.Since(since).Seconds()
	}
	gauge(auditLag, lag)
	gauge(auditBroken, oneIf(r.Audit.Err() != nil))
}

func oneIf(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
