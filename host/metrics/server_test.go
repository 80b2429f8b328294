package metrics_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/metrics"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// parts are sources that say what the test likes.
type parts struct {
	age    time.Duration
	known  bool
	lines  int
	since  time.Time
	broken error
}

func (p *parts) Through(account.Listener) int    { return 7 }
func (p *parts) Ended(c session.Cause) uint64    { return uint64(c) }
func (p *parts) LeaseAge() (time.Duration, bool) { return p.age, p.known }
func (p *parts) Waiting() (int, time.Time)       { return p.lines, p.since }
func (p *parts) Err() error                      { return p.broken }
func up() metrics.Plugin                         { return metrics.Plugin{Up: true, StartedAt: time.Unix(12, 5e8), Restarts: 3} }
func clients() metrics.Clients {
	return metrics.Clients{Connections: 8, MostConnections: 9, Relay: relay.Figures{InUse: 1, Idle: 2, Calls: 30, Failures: 4, Logins: 5, Transactions: 6}}
}
func (p *parts) sources(l time.Duration) metrics.Sources {
	return metrics.Sources{Sessions: p, Audit: p, Plugin: up, Clients: clients, Lease: l}
}

// serve serves metrics until the test ends, and returns their URL.
func serve(t *testing.T, m *metrics.Metrics) (url string) {
	t.Helper()
	l, err := metrics.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, served := m.NewServer(hclog.NewNullLogger()), make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop(time.Minute)
		if err := <-served; err != nil {
			t.Errorf("it served until %v", err)
		}
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			c.Close()
			t.Error("something listens after the end")
		}
	})
	return "http://" + l.Addr().String() + "/metrics"
}

// client keeps no connection, so that the server's end waits for none.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

func get(url string) (status int, body string, err error) {
	r, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

// scrape returns the lines of the host's own metrics, by what stands before
// the value.
func scrape(t *testing.T, url string) map[string]string {
	t.Helper()
	status, body, err := get(url)
	if err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", status, err, body)
	}
	all := map[string]string{}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if at := strings.LastIndexByte(line, ' '); strings.HasPrefix(line, "concourse_") { // a label may have blanks
			all[line[:at]] = line[at+1:]
		}
	}
	return all
}

func TestListen(t *testing.T) {
	t.Run("Loopback", func(t *testing.T) {
		for _, address := range []string{"127.0.0.1:0", "127.3.2.1:0", "localhost:0"} {
			l, err := metrics.Listen(address)
			if err != nil {
				t.Errorf("%s: %v", address, err)
				continue
			}
			if a := l.Addr().(*net.TCPAddr); !a.IP.IsLoopback() || a.Port == 0 {
				t.Errorf("%s became %v", address, a)
			}
			l.Close()
		}
	})
	t.Run("ErrNotLoopback", func(t *testing.T) {
		for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
			l, err := metrics.Listen(address)
			if account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), "not a loopback address") {
				t.Errorf("%s: %v", address, err)
			}
			if l != nil {
				l.Close()
			}
		}
	})
	t.Run("ErrInUse", func(t *testing.T) {
		l, err := metrics.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, err = metrics.Listen(l.Addr().String())
		if want := fmt.Sprintf("cannot serve metrics at %v, see metrics.address: ", l.Addr()); !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	})
}

func TestServe(t *testing.T) {
	url := serve(t, metrics.New())
	base := strings.TrimSuffix(url, "/metrics")
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/metrics", 200},
		{"GET", "/metrics?name=x", 200},
		{"GET", "/", 404},
		{"GET", "/metrics/", 404},
		{"GET", "/debug/pprof/", 404},
		{"POST", "/metrics", 405},
		{"DELETE", "/metrics", 405},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != c.status {
			t.Errorf("%s %s: %s, want %d", c.method, c.path, r.Status, c.status)
		}
	}
}

// Scrapes that hang take no more than their places, and the next is told so.
func TestServeTooManyScrapes(t *testing.T) {
	const most = 4
	var under atomic.Int32
	hang := make(chan struct{})
	m, p := metrics.New(), &parts{}
	s := p.sources(time.Second)
	s.Plugin = func() metrics.Plugin { under.Add(1); <-hang; return metrics.Plugin{} }
	m.Read(s)
	url := serve(t, m)
	statuses := make(chan int, most)
	for range most {
		go func() {
			status, _, _ := get(url)
			statuses <- status
		}()
	}
	await(t, "all places are taken", func() bool { return under.Load() == most })
	if status, _, err := get(url); status != http.StatusServiceUnavailable {
		t.Errorf("one more: status %d, %v", status, err)
	}
	for range most { // each has run out of time
		if status := <-statuses; status != http.StatusServiceUnavailable {
			t.Errorf("a scrape that hangs: status %d", status)
		}
	}
	close(hang)
	await(t, "scrapes are answered again", func() bool { status, _, _ := get(url); return status == http.StatusOK })
}

// A process that opens connections and says nothing takes no more of the
// host's descriptors than it may.
func TestServeTooManyConnections(t *testing.T) {
	const most = 64
	url := serve(t, metrics.New())
	address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/metrics")
	var silent []net.Conn
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	for range most {
		silent = append(silent, dial())
	}
	for range 10 {
		c := dial()
		c.SetReadDeadline(time.Now().Add(4 * time.Second)) // less than a silent one is given
		if _, err := bufio.NewReader(c).ReadByte(); err == nil || isTimeout(err) {
			t.Errorf("one more is not closed at once: %v", err)
		}
	}
	for _, c := range silent {
		c.Close()
	}
	await(t, "there is room again", func() bool { status, _, _ := get(url); return status == http.StatusOK })
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after a minute it is still not so that %s", what)
		}
	}
}
