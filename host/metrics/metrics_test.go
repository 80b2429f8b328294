package metrics_test

import (
	"errors"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/metrics"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
)

// wants fails the test for each series that has not the value; "" is for none.
func wants(t *testing.T, url string, want map[string]string) {
	t.Helper()
	all, got := scrape(t, url), map[string]string{}
	for name := range want {
		got[name] = all[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHooks(t *testing.T) {
	m := metrics.New()
	url := serve(t, m)
	wants(t, url, map[string]string{
		`concourse_logins_total{listener="management",outcome="ok"}`:    "0",
		`concourse_logins_total{listener="client",outcome="throttled"}`: "0",
		`concourse_audit_append_failures_total`:                         "0",
		`concourse_call_refusals_total{reason="not_permitted"}`:         "0",
		`concourse_plugin_up`: "", // until there are sources
		`concourse_rpc_duration_seconds_count{command="x",outcome="ok"}`:            "",
		`concourse_build_info{goversion="` + runtime.Version() + `",version="dev"}`: "1",
	})
	m.LoginEnded(account.ManagementListener, nil)
	m.LoginEnded(account.ClientListener, account.NotAuthenticated())
	m.LoginEnded(account.ClientListener, account.Throttled(time.Second))
	m.LoginEnded(account.ClientListener, errors.New("x"))
	m.CallRefused(thrift.MissingPermission)
	m.CommandEnded("users show", 30*time.Millisecond, nil)
	m.CommandEnded("users show", 2*time.Millisecond, account.NotFound("jeff"))
	m.AuditAppended(3*time.Millisecond, nil)
	m.AuditAppended(3*time.Millisecond, errors.New("x"))
	wants(t, url, map[string]string{
		`concourse_logins_total{listener="management",outcome="ok"}`:                          "1",
		`concourse_logins_total{listener="client",outcome="ok"}`:                              "0",
		`concourse_logins_total{listener="client",outcome="not_authenticated"}`:               "1",
		`concourse_logins_total{listener="client",outcome="throttled"}`:                       "1",
		`concourse_logins_total{listener="client",outcome="internal"}`:                        "1",
		`concourse_rpc_duration_seconds_bucket{command="users show",outcome="ok",le="0.025"}`: "0",
		`concourse_rpc_duration_seconds_bucket{command="users show",outcome="ok",le="0.05"}`:  "1",
		`concourse_rpc_duration_seconds_count{command="users show",outcome="ok"}`:             "1",
		`concourse_rpc_duration_seconds_count{command="users show",outcome="not_found"}`:      "1",
		`concourse_audit_append_duration_seconds_bucket{le="0.0025"}`:                         "0",
		`concourse_audit_append_duration_seconds_bucket{le="0.005"}`:                          "2",
		`concourse_audit_append_duration_seconds_count`:                                       "2",
		`concourse_audit_append_failures_total`:                                               "1",
		`concourse_call_refusals_total{reason="not_permitted"}`:                               "1",
		`concourse_call_refusals_total{reason="not_authenticated"}`:                           "0",
	})
}

func TestRead(t *testing.T) {
	t.Run("BeforeAnythingIsKnown", func(t *testing.T) {
		m, p := metrics.New(), &parts{}
		s := p.sources(10 * time.Second)
		s.Plugin = func() metrics.Plugin { return metrics.Plugin{} }
		m.Read(s)
		m.LoadTold(&account.Load{Hashing: 1}) // by one that is gone
		wants(t, serve(t, m), map[string]string{
			"concourse_plugin_up":                 "0",
			"concourse_plugin_start_time_seconds": "",
			"concourse_plugin_restarts_total":     "0",
			"concourse_hashing":                   "",
			"concourse_hashing_waiting":           "",
			"concourse_lease_seconds":             "10",
			"concourse_lease_age_seconds":         "",
			"concourse_audit_waiting_lines":       "0",
			"concourse_audit_lag_seconds":         "0",
			"concourse_audit_broken":              "0",
		})
	})
	t.Run("WhatIsKnown", func(t *testing.T) {
		m, p := metrics.New(), &parts{
			age: 2500 * time.Millisecond, known: true, lines: 5, since: time.Now().Add(-time.Hour), broken: errors.New("x"),
		}
		m.Read(p.sources(time.Hour))
		m.LoadTold(&account.Load{Hashing: 2, HashWaiting: 9})
		url := serve(t, m)
		wants(t, url, map[string]string{
			`concourse_sessions{listener="management"}`:            "7",
			`concourse_sessions{listener="client"}`:                "7",
			`concourse_session_ends_total{cause="logged_out"}`:     "1",
			`concourse_session_ends_total{cause="store_replaced"}`: "7",
			"concourse_client_connections":                         "8",
			"concourse_client_max_connections":                     "9",
			"concourse_relayed_calls_total":                        "30",
			"concourse_relayed_call_failures_total":                "4",
			`concourse_upstream_connections{state="busy"}`:         "1",
			`concourse_upstream_connections{state="idle"}`:         "2",
			"concourse_upstream_logins_total":                      "5",
			"concourse_open_transactions":                          "6",
			"concourse_plugin_up":                                  "1",
			"concourse_plugin_start_time_seconds":                  "12.5",
			"concourse_plugin_restarts_total":                      "3",
			"concourse_hashing":                                    "2",
			"concourse_hashing_waiting":                            "9",
			"concourse_lease_age_seconds":                          "2.5",
			"concourse_audit_waiting_lines":                        "5",
			"concourse_audit_broken":                               "1",
		})
		if lag, err := strconv.ParseFloat(scrape(t, url)["concourse_audit_lag_seconds"], 64); err != nil || lag < 3600 || lag > 7200 {
			t.Errorf("the lag is %v, %v", lag, err)
		}
		m.LoadTold(nil) // another plugin does not say
		wants(t, url, map[string]string{"concourse_hashing": "", "concourse_hashing_waiting": ""})
	})
	t.Run("WhatWasSaidLongAgo", func(t *testing.T) {
		m, p := metrics.New(), &parts{}
		m.Read(p.sources(time.Millisecond))
		m.LoadTold(&account.Load{Hashing: 2})
		url := serve(t, m)
		await(t, "it no longer counts", func() bool { return scrape(t, url)["concourse_hashing"] == "" })
	})
}
