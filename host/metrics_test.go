package host_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
)

// onLoopback lets a host's metrics be scraped, at a port that nobody else has.
const onLoopback = "metrics.address: 127.0.0.1:0"

// scraper reads one host's metrics.
type scraper struct {
	t   *testing.T
	url string
	// No connection is kept: each scrape is a new one.
	client http.Client
}

var servedAt = regexp.MustCompile(`(?m)^Metrics are served at (http://127\.0\.0\.1:[0-9]+/metrics)$`)

func newScraper(t *testing.T, h *hosttest.Host) *scraper {
	t.Helper()
	m := servedAt.FindStringSubmatch(h.Log())
	if m == nil {
		t.Fatalf("the host does not say where:\n%s", h.Log())
	}
	return &scraper{t: t, url: m[1], client: http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}}
}

func (s *scraper) text() string {
	s.t.Helper()
	r, err := s.client.Get(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		s.t.Fatalf("%s, %v: %s", r.Status, err, b)
	}
	return string(b)
}

// series returns every value, by the name and labels before it.
func (s *scraper) series() map[string]float64 {
	s.t.Helper()
	all := map[string]float64{}
	for line := range strings.Lines(s.text()) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		all[line[:at]] = value
	}
	return all
}

// of returns one value; there must be one.
func (s *scraper) of(series string) float64 {
	s.t.Helper()
	value, ok := s.series()[series]
	if !ok {
		s.t.Errorf("there is no %s", series)
	}
	return value
}

func (s *scraper) await(series string, what string, so func(float64) bool) {
	s.t.Helper()
	hosttest.Await(s.t, series+" is "+what, func() bool { return so(s.of(series)) })
}

func is(want float64) func(float64) bool { return func(v float64) bool { return v == want } }

func (s *scraper) want(series string, want float64) {
	s.t.Helper()
	if got := s.of(series); got != want {
		s.t.Errorf("%s is %v, want %v", series, got, want)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	t.Run("Logins", func(t *testing.T) { t.Parallel(); loginsAreCounted(t) })
	t.Run("Sessions", func(t *testing.T) { t.Parallel(); sessionsAreCounted(t) })
	t.Run("Commands", func(t *testing.T) { t.Parallel(); commandsAreMeasured(t) })
	t.Run("Plugin", func(t *testing.T) { t.Parallel(); restartsAreCounted(t) })
	t.Run("Lease", func(t *testing.T) { t.Parallel(); leaseAgeIsTold(t) })
	t.Run("Off", func(t *testing.T) { t.Parallel(); metricsAreOff(t) })
	t.Run("Stop", func(t *testing.T) { t.Parallel(); metricsStop(t) })
	t.Run("ErrNotLoopback", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		out := h.Run("", "start", "--metrics-address", "0.0.0.0:9717")
		if want := `"0.0.0.0" is not a loopback address`; out.Code != 2 || !strings.Contains(out.Stderr, want) || out.Stdout != "" {
			t.Errorf("%+v, want %q", out, want)
		}
		nothingLeft(t, h, 0)
	})
	t.Run("ErrInUse", func(t *testing.T) {
		t.Parallel()
		other, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		h := hosttest.New(t)
		out := h.Run("", "start", "--metrics-address", other.Addr().String())
		if want := fmt.Sprintf("Cannot serve metrics at %v, see metrics.address: ", other.Addr()); out.Code != 1 || !strings.Contains(out.Stderr, want) || out.Stdout != "" {
			t.Errorf("%+v, want %q", out, want)
		}
		nothingLeft(t, h, 0)
		if _, err := os.Stat(filepath.Join(h.Home, "accounts.db")); err == nil {
			t.Error("the plugin was started all the same")
		}
	})
}

// loginsAreCounted compares the counters with what the logins came to, and
// looks through all that is served for what was typed.
func loginsAreCounted(t *testing.T) {
	h := hosttest.Start(t, onLoopback)
	s := newScraper(t, h)
	const zebedee, wrong = "zebedee-77", "not the password 4b1d"
	admin := h.Admin()
	create(t, admin, zebedee, account.User)
	ended := map[string]float64{"ok": 1}
	try := func(username, password string) account.Kind {
		c, err := h.Login(username, password)
		if err == nil {
			c.Close()
			ended["ok"]++
			return 0
		}
		ended[account.KindOf(err).String()]++
		return account.KindOf(err)
	}
	try(hosttest.Administrator, hosttest.Password)
	try(zebedee, secret) // who is no administrator
	try(hosttest.Administrator, wrong)
	hosttest.Await(t, "a name is throttled", func() bool { return try(wrong, wrong) == account.KindThrottled })
	if ended["ok"] != 2 || ended["not_permitted"] != 1 || ended["not_authenticated"] < 4 || ended["throttled"] != 1 {
		t.Fatalf("the logins came to %v", ended)
	}
	all := s.series()
	for _, outcome := range append([]string{"ok"}, kinds()...) {
		if got := all[`concourse_logins_total{listener="management",outcome="`+outcome+`"}`]; got != ended[outcome] {
			t.Errorf("%v logins ended %s, want %v", got, outcome, ended[outcome])
		}
		if got := all[`concourse_logins_total{listener="client",outcome="`+outcome+`"}`]; got != 0 {
			t.Errorf("%v clients logged in: %s", got, outcome)
		}
	}
	if n := all["concourse_audit_append_duration_seconds_count"]; n < 6 {
		t.Errorf("the audit log was written %v times", n)
	}

	text := s.text()
	ids := []string{zebedee, wrong, hosttest.Password, secret, "uid:", h.Home}
	for _, row := range sessionsOf(t, h, "") {
		ids = append(ids, row.ID, string(row.AccountID), row.RemoteAddress)
	}
	for _, id := range ids {
		if id != "" && strings.Contains(text, id) {
			t.Errorf("%q is served", id)
		}
	}
	closedLabels(t, text)
}

func kinds() (names []string) {
	for _, k := range account.Kinds() {
		names = append(names, k.String())
	}
	return names
}

// closedLabels holds every label of the host's own metrics to a closed list, so
// that nothing that a caller said can be in one.
func closedLabels(t *testing.T, text string) {
	t.Helper()
	causes := []string{}
	for _, c := range session.Causes() {
		causes = append(causes, strings.ReplaceAll(c.String(), " ", "_"))
	}
	label := regexp.MustCompile(`([a-z]+)="([^"]*)"`)
	seen := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "concourse_") {
			continue
		}
		for _, m := range label.FindAllStringSubmatch(line, -1) {
			seen++
			ok := false
			switch name, value := m[1], m[2]; name {
			case "listener":
				ok = value == "management" || value == "client"
			case "outcome":
				ok = value == "ok" || slices.Contains(kinds(), value)
			case "reason":
				ok = slices.Contains(thrift.Reasons(), thrift.Reason(value))
			case "state":
				ok = value == "busy" || value == "idle"
			case "cause":
				ok = slices.Contains(causes, value)
			case "command":
				ok = regexp.MustCompile(`^(login|request|sessions|backup|(users|plugin) [a-z-]+)( --(dry-run|count-by))?$`).MatchString(value)
			case "le":
				_, err := strconv.ParseFloat(value, 64)
				ok = err == nil
			case "version", "goversion":
				ok = strings.HasPrefix(line, "concourse_build_info")
			}
			if !ok {
				t.Errorf("a label of no closed list: %s", line)
			}
		}
	}
	if seen == 0 {
		t.Error("nothing has labels")
	}
}

func sessionsAreCounted(t *testing.T) {
	h := hosttest.Start(t, onLoopback)
	s := newScraper(t, h)
	const management, closed = `concourse_sessions{listener="management"}`, `concourse_session_ends_total{cause="connection_closed"}`
	s.want(management, 0)
	first := h.Admin()
	create(t, first, "jeff", account.Admin)
	second, third := h.As("jeff", secret), h.As("jeff", secret)
	s.want(management, 3)
	s.want(closed, 0)
	if n, err := first.DisconnectUser(t.Context(), "jeff"); n != 2 || err != nil {
		t.Fatalf("%d sessions were disconnected, %v", n, err)
	}
	s.want(management, 1)
	s.want(`concourse_session_ends_total{cause="disconnected"}`, 2)
	second.Close()
	third.Close()
	h.As("jeff", secret)
	s.want(management, 2)
	if _, err := first.Suspend(t.Context(), anew, "jeff"); err != nil {
		t.Fatal(err)
	}
	s.want(management, 1)
	s.want(`concourse_session_ends_total{cause="revoked"}`, 1)
	first.Close()
	s.await(management, "down", is(0))
	s.want(closed, 1)
}

// commandsAreMeasured makes calls of every shape: unary, streamed, refused, and
// the operator's.
func commandsAreMeasured(t *testing.T) {
	h := hosttest.Start(t, onLoopback)
	s := newScraper(t, h)
	admin := h.Admin()
	create(t, admin, "jeff", account.User)
	create(t, admin, "ann", account.User)
	if _, err := admin.Show(t.Context(), "nobody"); account.KindOf(err) != account.KindNotFound {
		t.Fatal(err)
	}
	for range 2 {
		if out := h.Run("", "users", "list"); out.Code != 0 {
			t.Fatalf("%+v", out)
		}
	}
	if _, err := h.Dial().PluginStatus(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := s.series()
	for series, want := range map[string]float64{
		`{command="login",outcome="ok"}`:             3,
		`{command="users create",outcome="ok"}`:      2,
		`{command="users show",outcome="not_found"}`: 1,
		`{command="users list",outcome="ok"}`:        2,
		`{command="plugin status",outcome="ok"}`:     1,
	} {
		if got := all["concourse_rpc_duration_seconds_count"+series]; got != want {
			t.Errorf("%s: %v calls, want %v", series, got, want)
		}
		if sum := all["concourse_rpc_duration_seconds_sum"+series]; sum <= 0 || sum > 300 {
			t.Errorf("%s: they took %v s", series, sum)
		}
	}
	if fast := all[`concourse_rpc_duration_seconds_bucket{command="users create",outcome="ok",le="0.001"}`]; fast != 0 {
		t.Errorf("%v accounts were created in less time than a hash takes", fast)
	}
}

// restartsAreCounted kills the plugin: a scrape is answered while there is none,
// and tells of the next one.
func restartsAreCounted(t *testing.T) {
	h := hosttest.Start(t, onLoopback)
	s := newScraper(t, h)
	s.want("concourse_plugin_up", 1)
	s.want("concourse_plugin_restarts_total", 0)
	before := s.of("concourse_plugin_start_time_seconds")
	if age := float64(time.Now().UnixMilli())/1000 - before; age < 0 || age > 300 {
		t.Errorf("the plugin is %v s old", age)
	}
	h.KillPlugin()
	s.await("concourse_plugin_restarts_total", "one more", func(v float64) bool { return v >= 1 })
	s.await("concourse_plugin_up", "up", is(1))
	if after := s.of("concourse_plugin_start_time_seconds"); after <= before {
		t.Errorf("the plugin was started at %v, and the one before at %v", after, before)
	}
	h.Admin()
}

// leaseAgeIsTold stops the plugin's process: calls hang, what the host knows
// grows old, and a scrape is answered as ever.
func leaseAgeIsTold(t *testing.T) {
	h := hosttest.Start(t, onLoopback, "lease: 2s", "lease_wait: 200ms")
	s := newScraper(t, h)
	s.want("concourse_lease_seconds", 2)
	s.await("concourse_lease_age_seconds", "young", func(v float64) bool { return v >= 0 && v < 2 })
	hosttest.Await(t, "what the host knows is older than the lease", func() bool {
		h.StopPlugin() // again and again: it may have been replaced
		began := time.Now()
		age := s.of("concourse_lease_age_seconds")
		if took := time.Since(began); took > 4*time.Second { // less than anything waits for a plugin that hangs
			t.Errorf("a scrape took %v", took)
		}
		return age > 2
	})
	h.SignalPlugin(syscall.SIGCONT)
	s.await("concourse_lease_age_seconds", "young again", func(v float64) bool { return v < 2 })
}

// metricsAreOff looks for what a host listens at besides its sockets in files,
// and finds the one that it must find where metrics are on. Only root sees the
// descriptors of a host, which forbids core dumps; others go by what it says.
func metricsAreOff(t *testing.T) {
	on, off := hosttest.Start(t, onLoopback), hosttest.Start(t)
	if os.Geteuid() != 0 {
		if !strings.Contains(on.Log(), "Metrics are served at") || strings.Contains(off.Log(), "Metrics") {
			t.Errorf("with metrics:\n%s\nwithout:\n%s", on.Log(), off.Log())
		}
		return
	}
	if n := listening(t, on.PID()); n != 1 {
		t.Errorf("with metrics the host listens at %d ports", n)
	}
	if n := listening(t, off.PID()); n != 0 || strings.Contains(off.Log(), "Metrics") {
		t.Errorf("without metrics the host listens at %d ports:\n%s", n, off.Log())
	}
}

// listening counts the TCP ports at which a process listens.
func listening(t *testing.T, pid int) (n int) {
	t.Helper()
	const listen = "0A"
	inodes := map[string]bool{}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		for line := range strings.Lines(proc(t, pid, table)) {
			if fields := strings.Fields(line); len(fields) > 9 && fields[3] == listen {
				inodes["socket:["+fields[9]+"]"] = true
			}
		}
	}
	all, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(all) == 0 {
		t.Fatalf("the process %d has %d descriptors, %v", pid, len(all), err)
	}
	for _, fd := range all {
		if to, err := os.Readlink(fd); err == nil && inodes[to] {
			n++
		}
	}
	return n
}

// metricsStop: nothing listens when the host is gone, and a scraper that keeps
// its connection does not put off the stop.
func metricsStop(t *testing.T) {
	h := hosttest.Start(t, onLoopback)
	s := newScraper(t, h)
	s.client.Transport = &http.Transport{}
	s.text()
	began := time.Now()
	h.Stop()
	if took := time.Since(began); took > promptly {
		t.Errorf("the stop took %v", took)
	}
	if _, err := s.client.Get(s.url); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the stop: %v", err)
	}
}
