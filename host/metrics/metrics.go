package metrics

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/version"
)

// Metrics are a host's. The methods that end in "Ended", "Refused", "Appended"
// and "Told" are the hooks of its parts; they may be called at once.
type Metrics struct {
	registry  *prometheus.Registry
	logins    *prometheus.CounterVec
	refused   *prometheus.CounterVec
	commands  *prometheus.HistogramVec
	appends   prometheus.Histogram
	unwritten prometheus.Counter
	load      atomic.Pointer[told]
}

// told is what a plugin said of itself, and when.
type told struct {
	account.Load
	at time.Time
}

var (
	listeners = []account.Listener{account.ManagementListener, account.ClientListener}
	// refusals are the kinds that a login may end with.
	refusals = []account.Kind{
		account.KindNotAuthenticated, account.KindNotPermitted, account.KindThrottled,
		account.KindUnavailable, account.KindInterrupted, account.KindInternal,
	}
)

// New returns metrics of which nothing has happened yet.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "concourse_logins_total",
			Help: "Logins by how they ended: ok, or why they were refused.",
		}, []string{"listener", "outcome"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "concourse_call_refusals_total",
			Help: "Calls of Concourse's drivers that were refused, by why; logins aside.",
		}, []string{"reason"}),
		commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "concourse_rpc_duration_seconds",
			Help:    "How long calls over the management socket took, by the command that makes them and by how they ended.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"command", "outcome"}),
		appends: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "concourse_audit_append_duration_seconds",
			Help:    "How long those who write to the audit log waited until their lines were on disk.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		unwritten: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "concourse_audit_append_failures_total",
			Help: "Writes to the audit log that failed, so that what they told of was refused.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "concourse_build_info", Help: "Which version of the host runs. Always 1.",
		ConstLabels: prometheus.Labels{"version": version.String(), "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(
		m.logins, m.refused, m.commands, m.appends, m.unwritten, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	// From zero on, so that the first of its kind shows as a rise.
	for _, l := range listeners {
		m.logins.WithLabelValues(string(l), outcome(nil))
		for _, k := range refusals {
			m.logins.WithLabelValues(string(l), k.String())
		}
	}
	for _, r := range thrift.Reasons() {
		m.refused.WithLabelValues(string(r))
	}
	return m
}

// outcome is "ok", or the name of the refusal's kind.
func outcome(refusal error) string {
	if refusal == nil {
		return "ok"
	}
	return account.KindOf(refusal).String()
}

// LoginEnded counts a login.
func (m *Metrics) LoginEnded(l account.Listener, refusal error) {
	m.logins.WithLabelValues(string(l), outcome(refusal)).Inc()
}

// CallRefused counts a driver's call that was refused.
func (m *Metrics) CallRefused(why thrift.Reason) { m.refused.WithLabelValues(string(why)).Inc() }

// CommandEnded measures a call over the management socket. The command is one
// of a closed list.
func (m *Metrics) CommandEnded(command string, took time.Duration, refusal error) {
	m.commands.WithLabelValues(command, outcome(refusal)).Observe(took.Seconds())
}

// AuditAppended measures a write to the audit log.
func (m *Metrics) AuditAppended(took time.Duration, err error) {
	m.appends.Observe(took.Seconds())
	if err != nil {
		m.unwritten.Inc()
	}
}

// LoadTold takes note of how busy the plugin says it is; nil: it does not say.
func (m *Metrics) LoadTold(l *account.Load) {
	if l == nil {
		m.load.Store(nil)
		return
	}
	m.load.Store(&told{*l, time.Now()})
}
