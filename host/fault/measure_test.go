package fault_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// measured is what host and plugin hold while nobody is logged in.
type measured struct {
	goroutines   int // the host's
	host, plugin held
	files        map[string]int // in the home, by directory
}

// held is what one process holds.
type held struct {
	descriptors int
	memory      int // resident, in MiB
}

// The room that is left for what comes and goes by itself: connections that a
// runtime keeps for a while, and memory that the race detector and the garbage
// collector give back late, or never.
const (
	moreGoroutines  = 20
	moreDescriptors = 10
	moreMemory      = 150
)

func (s *scene) measure(t *testing.T) measured {
	t.Helper()
	m := measured{
		goroutines: s.goroutines(t), host: holds(t, s.host.PID()), plugin: holds(t, s.host.PluginPID()), files: map[string]int{},
	}
	err := filepath.WalkDir(s.host.Home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			below, _ := filepath.Rel(s.host.Home, filepath.Dir(path))
			below = numbers.ReplaceAllString(below, "N")
			m.files[below]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// numbers are those in names that a process makes up.
var numbers = regexp.MustCompile(`[0-9]+`)

// settles waits until host and plugin hold no more than before, with some room.
func (s *scene) settles(t *testing.T, before measured) {
	t.Helper()
	var now measured
	within := func(now, before, more int) bool { return now <= before+more }
	same := func(a, b held) bool {
		return within(a.descriptors, b.descriptors, moreDescriptors) && within(a.memory, b.memory, moreMemory)
	}
	defer func() { t.Logf("held after the first round: %+v; after the last: %+v", before, now) }()
	hosttest.Await(t, "host and plugin hold what they held after the first round", func() bool {
		now = s.measure(t)
		files := true
		for directory, n := range now.files {
			files = files && n <= before.files[directory]
		}
		return files && within(now.goroutines, before.goroutines, moreGoroutines) && same(now.host, before.host) && same(now.plugin, before.plugin)
	})
}

func holds(t *testing.T, pid int) (h held) {
	t.Helper()
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	h.descriptors = len(descriptors)
	h.memory = number(t, "VmRSS:", status(t, pid)) / 1024
	return h
}

func status(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// number returns the number behind the name at the beginning of a line.
func number(t *testing.T, name, text string) int {
	t.Helper()
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == name {
			n, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
	}
	t.Fatalf("there is no %s in:\n%s", name, text)
	return 0
}

var servedAt = regexp.MustCompile(`(?m)^Metrics are served at (http://\S+)$`)

func (s *scene) goroutines(t *testing.T) int {
	t.Helper()
	at := servedAt.FindStringSubmatch(s.host.Log())
	if at == nil {
		t.Fatal("the host does not say where its metrics are")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	answer, err := client.Get(at[1])
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var text strings.Builder
	if _, err := bufio.NewReader(answer.Body).WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	return number(t, "go_goroutines", text.String())
}

// stopped reports whether a process is there and stopped.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	if !hosttest.Alive(pid) {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && strings.Contains(string(text), "\nState:\tT")
}

// resume continues a process that was stopped, if it still is there.
func resume(pid int) { _ = syscall.Kill(pid, syscall.SIGCONT) }
