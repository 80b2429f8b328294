package host_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// atMostFiles has a host run with that limit of open files, as a shell sets it.
func atMostFiles(which string, limit int) []string {
	return []string{"sh", "-c", fmt.Sprintf(`ulimit %s -n %d && exec "$@"`, which, limit), "sh"}
}

const tooFewFiles = "too few files may be open"

// TestPlaces floods hosts whose limit of open files is below what their settings
// allow: administrators and scrapers still come in.
func TestPlaces(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, atFreePort, "management.port: 0", onLoopback, "client.first_byte_timeout: 10m",
		"upstream: localhost:1", "upstream.username: x", "upstream.password: y")
	h.Under = atMostFiles("", 256)
	h.Start()
	s := newScraper(t, h)
	s.want("concourse_client_max_connections", 64)
	log := h.Log()
	for _, want := range []string{tooFewFiles, "LimitNOFILE=", "limit=256 needed=10640 clients=64 tools=32 upstream=32"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}

	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	flood := func(address string) {
		t.Helper()
		for i := range 200 { // more together than there may be files
			from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i))}}
			c, err := from.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, c)
		}
	}
	flood(strings.Replace(h.ClientAddress(), "localhost", "127.0.0.1", 1))
	flood(strings.Replace(h.ManagementAddress(), "localhost", "127.0.0.1", 1))
	s.await("concourse_client_connections", "as many as there may be", func(n float64) bool { return n >= 60 })
	for _, args := range [][]string{{"users", "list"}, {"users", "sessions"}} {
		cmd := h.Command(args...)
		cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+hosttest.Password)
		if out := h.RunCommand(cmd, ""); out.Code != 0 {
			t.Errorf("%v: %+v", args, out)
		}
	}
	if log := h.Log(); strings.Contains(log, "cannot be accepted") {
		t.Errorf("files have run out:\n%s", log)
	}
}

// A limit that the host itself may raise is no reason for fewer connections.
func TestPlaces_Raised(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, atFreePort, onLoopback, "client.max_connections: 300")
	h.Under = atMostFiles("-S", 128)
	h.Start()
	newScraper(t, h).want("concourse_client_max_connections", 300)
	if log := h.Log(); strings.Contains(log, tooFewFiles) {
		t.Errorf("the log says\n%s", log)
	}
	c := driver.Dial(t, h.ClientAddress(), driver.Options{})
	if _, err := c.Login(hosttest.Administrator, hosttest.Password, ""); err != nil {
		t.Error(err)
	}
}

func TestPlacesWithin(t *testing.T) {
	for _, c := range []struct {
		limit       int
		asked, want [3]int // clients, tools, upstream
	}{
		{65536, [3]int{10000, 256, 256}, [3]int{10000, 256, 256}},
		{10640, [3]int{10000, 256, 256}, [3]int{10000, 256, 256}},
		{10639, [3]int{10000, 256, 256}, [3]int{9999, 256, 256}},
		{4096, [3]int{10000, 0, 256}, [3]int{3712, 0, 256}},
		{1024, [3]int{10000, 256, 256}, [3]int{448, 224, 224}},
		{1024, [3]int{10000, 0, 0}, [3]int{896, 0, 0}},
		{1024, [3]int{100, 256, 0}, [3]int{100, 256, 0}},
		{256, [3]int{10, 0, 256}, [3]int{10, 0, 32}},
		{64, [3]int{10000, 256, 256}, [3]int{16, 8, 8}},
	} {
		if got := host.PlacesWithin(c.limit, c.asked); !cmp.Equal(got, c.want) {
			t.Errorf("of %v a limit of %d allows %v, want %v", c.asked, c.limit, got, c.want)
		}
	}
}
