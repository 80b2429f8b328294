package soak_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	mostSessions     = 100_000
	commandsASecond  = 100
	enduranceWorkers = 32
)

// Bounds on what may be seen to grow over the whole run, as a line through all
// that was seen has it.
const (
	mostGrowth         = 0.10     // of what it was
	mostGrowthBytes    = 24 << 20 // or so many bytes, if that is more
	mostMoreGoroutines = 64
	mostMoreFiles      = 16
)

// TestSoakEndurance holds as many sessions as can be had, each from a login that
// hashes, while commands of every kind come at a steady pace. Neither memory
// nor latency grows, and nothing is left when the sessions have ended.
func TestSoakEndurance(t *testing.T) {
	beside(t)
	span := hosttest.Span(t, "CONCOURSE_SOAK", 9*time.Second)
	h := hosttest.StartWithClients(t, measured)
	w := &workers{t: t, h: h, names: users(t, h, 20), plugin: h.PluginPID()}
	for range enduranceWorkers {
		w.admins = append(w.admins, h.Admin())
	}
	empty := w.look()
	t.Logf("without sessions: %v", empty)

	// Half of the time is for their logins.
	n := min(mostSessions, int(hashesPerSecond(t, time.Second/2)*span.Seconds()/2))
	began := time.Now()
	w.crowd = h.Crowd(n, w.names...)
	t.Logf("%d sessions after %v; %d were asked for, for which half of %v is not enough if there are fewer",
		n, time.Since(began).Round(time.Second), mostSessions, span)
	full := w.look()
	t.Logf("with sessions: %v; %.0f B each of the host's resident memory", full, float64(full.host-empty.host)/float64(n))

	seen, took := w.work(max(span-time.Since(began), span/2))
	judgeGrowth(t, seen)
	judgeLatency(t, took, span)

	w.crowd.Close()
	hosttest.Await(t, "the sessions have ended", func() bool {
		return scrape(t, h)[`concourse_sessions{listener="client"}`] == 0
	})
	hosttest.Await(t, "goroutines and descriptors are what they were", func() bool {
		now := w.look()
		return now.goroutines <= empty.goroutines+8 && now.hostFiles <= empty.hostFiles+4 && now.pluginFiles <= empty.pluginFiles+4
	})
	t.Logf("after all sessions have ended: %v", w.look())
	for i := range w.crowd.Tokens[:min(10, len(w.crowd.Tokens))] {
		if err := h.Clients().Check(w.crowd.Tokens[i]); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("a token of a session that has ended: %v", err)
		}
	}
}

// sight is what a host and its plugin hold.
type sight struct {
	at                     time.Duration
	host, heap, plugin     float64 // bytes; resident without files, but for the heap
	goroutines             int
	hostFiles, pluginFiles int
}

func (s sight) String() string {
	return fmt.Sprintf("the host has %.1f MiB, of which %.1f in use on the heap, %d goroutines and %d descriptors, the plugin %.1f MiB and %d descriptors",
		s.host/(1<<20), s.heap/(1<<20), s.goroutines, s.hostFiles, s.plugin/(1<<20), s.pluginFiles)
}

func (w *workers) look() sight {
	w.t.Helper()
	m := scrape(w.t, w.h)
	return sight{
		host: float64(anonymous(w.t, w.h.PID())), plugin: float64(anonymous(w.t, w.plugin)), heap: m["go_memstats_heap_inuse_bytes"],
		goroutines: int(m["go_goroutines"]), hostFiles: usageOf(w.t, w.h.PID()).descriptors, pluginFiles: usageOf(w.t, w.plugin).descriptors,
	}
}

// work sends commands at a steady pace, whether those before are answered or
// not, and looks at the processes all the while. A command's time begins when it
// was due.
func (w *workers) work(span time.Duration) (seen []sight, took []timed) {
	w.t.Helper()
	due := make(chan time.Time, 100*commandsASecond)
	var mu sync.Mutex
	var all sync.WaitGroup
	began := time.Now()
	for worker := range enduranceWorkers {
		all.Go(func() {
			for at := range due {
				command, err := w.command(worker)
				if err != nil {
					w.t.Errorf("%s: %v", command, err)
				}
				mu.Lock()
				took = append(took, timed{at: at.Sub(began), took: time.Since(at)})
				mu.Unlock()
			}
		})
	}
	looks := max(span/120, 100*time.Millisecond)
	next, lost := began.Add(looks), 0
	for tick := began; time.Since(began) < span && !w.t.Failed(); tick = tick.Add(time.Second / commandsASecond) {
		time.Sleep(time.Until(tick))
		select {
		case due <- tick:
		default:
			lost++
		}
		if time.Now().After(next) {
			s := w.look()
			s.at = time.Since(began)
			seen = append(seen, s)
			if next = next.Add(looks); len(seen)%12 == 0 {
				w.t.Logf("after %v: %v", s.at.Round(time.Second), s)
			}
		}
	}
	close(due)
	all.Wait()
	if lost > 0 {
		w.t.Errorf("%d commands were not even sent: the system does not keep up", lost)
	}
	w.t.Logf("%d commands, %.1f a second", len(took), float64(len(took))/time.Since(began).Seconds())
	return seen, took
}

// timed is how long a command took that was due at a time of the run.
type timed struct{ at, took time.Duration }

// judgeGrowth fails the test if something grows. What comes before the first
// fifth is over is warming up.
func judgeGrowth(t *testing.T, seen []sight) {
	t.Helper()
	seen = seen[len(seen)/5:]
	if len(seen) < 5 {
		t.Fatalf("only %d looks", len(seen))
	}
	for _, q := range []struct {
		name string
		of   func(sight) float64
		most float64
	}{
		{"the host's memory", func(s sight) float64 { return s.host }, mostGrowthBytes},
		{"the host's heap", func(s sight) float64 { return s.heap }, mostGrowthBytes},
		{"the plugin's memory", func(s sight) float64 { return s.plugin }, 4 * mostGrowthBytes}, // a hash is 19 MiB for a moment
		{"the host's goroutines", func(s sight) float64 { return float64(s.goroutines) }, mostMoreGoroutines},
		{"the host's descriptors", func(s sight) float64 { return float64(s.hostFiles) }, mostMoreFiles},
		{"the plugin's descriptors", func(s sight) float64 { return float64(s.pluginFiles) }, mostMoreFiles},
	} {
		grown, mean := growth(seen, q.of)
		t.Logf("%s: %.0f on the average, grown by %.0f", q.name, mean, grown)
		if grown > max(q.most, mostGrowth*mean) {
			t.Errorf("%s has grown by %.0f, more than %.0f", q.name, grown, max(q.most, mostGrowth*mean))
		}
	}
}

// growth is by how much a line through all that was seen rises from the first to
// the last, and the mean.
func growth(seen []sight, of func(sight) float64) (grown, mean float64) {
	var sumX, sumY, sumXX, sumXY float64
	n := float64(len(seen))
	for _, s := range seen {
		x, y := s.at.Seconds(), of(s)
		sumX, sumY, sumXX, sumXY = sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	slope := (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
	return slope * (seen[len(seen)-1].at - seen[0].at).Seconds(), sumY / n
}

// judgeLatency holds the last third against the first.
func judgeLatency(t *testing.T, took []timed, span time.Duration) {
	t.Helper()
	var first, last latencies
	end := time.Duration(0)
	for _, c := range took {
		end = max(end, c.at)
	}
	for _, c := range took {
		switch {
		case c.at < end/10: // warms up
		case c.at < end*4/10:
			first = append(first, c.took)
		case c.at > end*7/10:
			last = append(last, c.took)
		}
	}
	t.Logf("latency at first: %v; at last: %v", first, last)
	// A machine that does something else for a moment is no leak.
	slack := time.Second
	if span > time.Minute {
		slack = 20 * time.Millisecond
	}
	if last.median() > 2*first.median()+slack || last.p99() > 3*first.p99()+slack {
		t.Error("commands take longer in the end")
	}
}

// TestGrowth shows that the judge sees a leak.
func TestGrowth(t *testing.T) {
	var flat, leaking []sight
	for i := range 100 {
		noise := rand.Float64() * (8 << 20)
		flat = append(flat, sight{at: time.Duration(i) * time.Second, host: 50<<20 + noise})
		leaking = append(leaking, sight{at: time.Duration(i) * time.Second, host: 50<<20 + noise + float64(i)*(1<<20)})
	}
	host := func(s sight) float64 { return s.host }
	if grown, _ := growth(flat, host); grown > mostGrowthBytes/2 {
		t.Errorf("what is flat has grown by %.0f", grown)
	}
	if grown, _ := growth(leaking, host); grown < 80<<20 {
		t.Errorf("a leak of 99 MiB is seen as %.0f", grown)
	}
}
