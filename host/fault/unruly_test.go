package fault_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// orders tell the unruly plugin what to do (host/testdata/unruly).
type orders struct {
	fault string
	least time.Duration // what the fault takes, if it takes any
	most  time.Duration
	every int           // so many-th call is spoiled; 0: all
	lasts time.Duration // at most, half of it at least

	silences bool // no heartbeat is answered meanwhile
}

// unruly has the plugin misbehave for a while, and then behave.
func unruly(o orders) injector {
	return func(t *testing.T, s *scene) {
		takes := o.least
		if o.most > 0 {
			takes += s.upTo(o.most - o.least)
		}
		order(t, s.host, fmt.Sprintf("%s %v %d", o.fault, takes, max(o.every, 1)))
		from := s.now()
		time.Sleep(o.lasts/2 + s.upTo(o.lasts/2))
		if o.silences {
			s.judge.stops = append(s.judge.stops, window{from, s.now()}) // for whoever judges the lease
		}
		behave(t, s.host)
	}
}

// order writes the order, whole.
func order(t *testing.T, h *hosttest.Host, text string) {
	t.Helper()
	path := filepath.Join(h.Home, "unruly")
	err := os.WriteFile(path+".new", []byte(text), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func behave(t *testing.T, h *hosttest.Host) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(h.Home, "unruly")); err != nil {
		t.Fatal(err)
	}
}

// honestFaults are those of a plugin that says nothing untrue.
var honestFaults = map[string]injector{
	"Late":         unruly(orders{fault: "late", least: 50 * time.Millisecond, most: time.Second, every: 2, lasts: time.Second}),
	"TooLate":      unruly(orders{fault: "late", least: callTimeout, most: 2 * callTimeout, every: 9, lasts: 2 * time.Second}),
	"Tardy":        unruly(orders{fault: "tardy", least: 50 * time.Millisecond, most: time.Second, every: 3, lasts: time.Second}),
	"TooTardy":     unruly(orders{fault: "tardy", least: callTimeout, most: 2 * callTimeout, every: 9, lasts: 2 * time.Second}),
	"Mute":         unruly(orders{fault: "mute", every: 9, lasts: 2 * time.Second}),
	"AllMute":      unruly(orders{fault: "mute", lasts: time.Second}),
	"Twice":        unruly(orders{fault: "twice", lasts: 2 * time.Second}),
	"Cut":          unruly(orders{fault: "cut", every: 5, lasts: time.Second}),
	"Refuses":      unruly(orders{fault: "refuse", every: 2, lasts: time.Second}),
	"Floods":       unruly(orders{fault: "flood", every: 4, lasts: time.Second}),
	"NoHeartbeats": unruly(orders{fault: "no-heartbeats", lasts: 3 * (lease + leaseWait), silences: true}),
	"OldNumbers":   unruly(orders{fault: "heartbeats-of-before", lasts: 3 * (lease + leaseWait), silences: true}),
	"StreamCut":    unruly(orders{fault: "stream-cut", lasts: lease}),
}

// TestFaultUnruly has the plugin carry out what it is asked for late, twice, or
// without an answer, and stay silent: the twelve rules hold.
func TestFaultUnruly(t *testing.T) {
	t.Parallel()
	o := sceneOptions{plugin: hosttest.Build(t, "./host/testdata/unruly")}
	harmAll(t, o, hosttest.Span(t, "CONCOURSE_FAULT", 4*time.Second), honestFaults)
}

// dishonestFaults are those of a plugin that talks nonsense which the host can
// tell from an answer.
var dishonestFaults = map[string]injector{
	"Panics":               unruly(orders{fault: "panic", every: 3, lasts: time.Second}),
	"Strangers":            unruly(orders{fault: "stranger", every: 2, lasts: time.Second}),
	"Nobody":               unruly(orders{fault: "nobody", every: 2, lasts: time.Second}),
	"Empty":                unruly(orders{fault: "empty", every: 2, lasts: time.Second}),
	"Noise":                unruly(orders{fault: "noise", every: 2, lasts: time.Second}),
	"Huge":                 unruly(orders{fault: "huge", every: 4, lasts: time.Second}),
	"RevisionsBackwards":   unruly(orders{fault: "revisions-backwards", lasts: lease}),
	"AnotherStore":         unruly(orders{fault: "another-store", lasts: lease}),
	"SnapshotsOfNobody":    unruly(orders{fault: "snapshots-of-nobody", lasts: lease}),
	"SnapshotsOfStrangers": unruly(orders{fault: "snapshots-of-strangers", lasts: lease}),
	"HeartbeatsUnasked":    unruly(orders{fault: "heartbeats-unasked", lasts: lease / 4}),
	"StreamNoise":          unruly(orders{fault: "stream-noise", lasts: lease}),
}

// TestFaultUnrulyNonsense has the plugin spoil its answers. What it was asked for
// it has carried out, and what the host makes known of that holds.
func TestFaultUnrulyNonsense(t *testing.T) {
	t.Parallel()
	o := sceneOptions{plugin: hosttest.Build(t, "./host/testdata/unruly"), nonsense: true}
	harmAll(t, o, hosttest.Span(t, "CONCOURSE_FAULT", 4*time.Second), dishonestFaults)
}
