package soak_test

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// measured is the setting of a host whose metrics are read, at a port that
// nobody else has.
const measured = "metrics.address: 127.0.0.1:0"

var servedAt = regexp.MustCompile(`(?m)^Metrics are served at (http://127\.0\.0\.1:[0-9]+/metrics)$`)

// scrape reads a host's metrics, by their names and labels.
func scrape(t *testing.T, h *hosttest.Host) map[string]float64 {
	t.Helper()
	m := servedAt.FindStringSubmatch(h.Log())
	if m == nil {
		t.Fatalf("the host does not say where its metrics are:\n%s", h.Log())
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(m[1])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", r.Status, err, text)
	}
	all := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if at := strings.LastIndexByte(line, ' '); at > 0 && !strings.HasPrefix(line, "#") {
			if all[line[:at]], err = strconv.ParseFloat(line[at+1:], 64); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
	}
	return all
}

// goroutines returns how many the host has.
func goroutines(t *testing.T, h *hosttest.Host) int {
	t.Helper()
	return int(scrape(t, h)["go_goroutines"])
}
