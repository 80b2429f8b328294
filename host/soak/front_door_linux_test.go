package soak_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// environments are those that clients name. In the last of them nobody holds
// anything at first.
var environments = []string{"default", "accounting", "sales", "archive"}

// door is a host with its clients and its upstream.
type door struct {
	size
	t        *testing.T
	h        *hosttest.Host
	upstream *upstreamProcess
	address  string        // where clients reach the host
	pace     time.Duration // between two steps of a client, on the average
	persons  []*person
	admin    *management.Client // who looks after the whole
	random   *rand.Rand
	seed     uint64
	drawn    uint64 // how many others draw from the seed
	began    time.Time
	judge    *doorJudge
	seen     []sight

	pause   sync.RWMutex // held for reading in every step of clients and clerks
	numbers atomic.Int64 // of calls
	faults  atomic.Int64 // that the judge has found

	mu       sync.Mutex     // guards what follows
	attempts []attempt      // since the last round
	tokens   []string       // that clients were given, since the last round
	calls    []*call        // since the last round
	outages  []outage       // so far
	changes  map[string]int // so far, by verb
}

// newDoor starts an upstream, a host before it, and makes accounts.
func newDoor(t *testing.T, s size) *door {
	t.Helper()
	d := &door{
		t: t, size: s, seed: hosttest.Seed(t), pace: time.Second * time.Duration(s.clients) / time.Duration(s.steps),
		changes: map[string]int{},
	}
	d.random = d.draws()
	d.judge = newDoorJudge(upstream.Username, d.wrong)
	d.upstream = startUpstream(t)
	settings := []string{measured, "client.address: localhost:0", "client.first_byte_timeout: 5m", "session.idle_timeout: 1m"}
	d.h = hosttest.Start(t, append(settings, d.upstream.settings()...)...)
	d.address = d.h.ClientAddress()
	d.began = time.Now()
	d.admin = d.h.Admin()
	for i := range max(s.clients/s.each, 8) {
		d.persons = append(d.persons, d.newPerson(i))
	}
	return d
}

// newPerson makes an account with some grants.
func (d *door) newPerson(i int) *person {
	d.t.Helper()
	p := &person{name: fmt.Sprint("user", i), password: 1, holds: map[string]level{}}
	r := account.Create{Username: p.name, Password: account.Secret(passwordOf(1)), Role: account.User}
	if _, err := d.admin.Create(d.t.Context(), account.RequestID{}, r); err != nil {
		d.t.Fatal(err)
	}
	for j, environment := range environments[:len(environments)-1] {
		l := []level{writing, reading, writing, writing, nothing}[(i/4+j)%5]
		if l == nothing {
			continue
		}
		p.holds[environment] = l
		if _, err := d.admin.Grant(d.t.Context(), account.RequestID{}, grantOf(p, environment, l)); err != nil {
			d.t.Fatal(err)
		}
	}
	return p
}

// draws returns a source of choices, another one each time.
func (d *door) draws() *rand.Rand {
	d.drawn++
	return rand.New(rand.NewPCG(d.seed, d.drawn))
}

func (d *door) now() time.Duration { return time.Since(d.began) }

// within does what may not be under way while a round is judged.
func (d *door) within(do func()) {
	d.pause.RLock()
	defer d.pause.RUnlock()
	do()
}

// wrong reports the first few of what is wrong; the rest mostly says the same.
func (d *door) wrong(format string, args ...any) {
	const most = 16
	if d.faults.Add(1) <= most {
		d.t.Errorf(format, args...)
	} else {
		d.t.Fail()
	}
}

// excused reports whether an outage explains that something failed which began
// then and has just ended. It may need the plugin.
func (d *door) excused(began time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.outages {
		if began <= o.to {
			return true
		}
	}
	return false
}

func (d *door) add(c *call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, c)
}

// tried notes how a login ended; the token is empty if it was refused.
func (d *door) tried(l *login, token string, o outcome, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.attempts = append(d.attempts, attempt{l, o, err})
	if token != "" {
		d.tokens = append(d.tokens, token)
	}
}

func (d *door) changed(verb string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes[verb]++
}

// fewestLooks is how many looks it takes to see something grow.
const fewestLooks = 4

// hold lets clients and clerks go on for the whole span, and for as long as it
// takes to have seen enough, breaks things, and judges round after round.
func (d *door) hold() {
	d.t.Helper()
	span := d.now() + d.span
	judge, breaks := d.now()+d.round, d.now()+d.breaking/2
	for (d.now() < span || len(d.seen) < fewestLooks) && d.faults.Load() == 0 {
		time.Sleep(50 * time.Millisecond)
		if d.now() >= breaks {
			d.breakSomething()
			breaks = d.now() + d.breaking/4 + time.Duration(d.random.Int64N(int64(d.breaking/4*3)))
		}
		if d.now() >= judge {
			d.judgeRound()
			d.noteSight()
			judge = d.now() + d.round
		}
	}
}

// judgeRound judges what happened since the last round, while everybody pauses.
func (d *door) judgeRound() {
	d.t.Helper()
	d.pause.Lock()
	defer d.pause.Unlock()
	d.judge.outages = d.outages
	for _, token := range d.tokens {
		d.judge.tokens[token] = true
	}
	r := round{attempts: d.attempts, calls: d.calls, arrivals: d.upstream.arrivals(d.began), now: d.now()}
	d.attempts, d.tokens, d.calls = nil, nil, nil
	d.judge.round(r)
}

// noteSight looks at the host while everybody is at work.
func (d *door) noteSight() {
	d.t.Helper()
	s := d.look()
	s.at = d.now()
	if d.seen = append(d.seen, s); len(d.seen)%8 == 0 {
		d.t.Logf("after %v: %v; %v", s.at.Round(time.Second), s, d.judge.counts)
	}
}

// look sees what the host holds.
func (d *door) look() sight {
	d.t.Helper()
	m := scrape(d.t, d.h)
	return sight{
		host: float64(anonymous(d.t, d.h.PID())), heap: m["go_memstats_heap_inuse_bytes"],
		goroutines: int(m["go_goroutines"]), hostFiles: usageOf(d.t, d.h.PID()).descriptors,
	}
}

// close judges what is left when every client has gone.
func (d *door) close(empty sight) {
	d.t.Helper()
	gone := time.Now()
	for d.judgeRound(); len(d.judge.open) > 0 && time.Since(gone) < abortWithin; d.judgeRound() {
		time.Sleep(100 * time.Millisecond)
	}
	d.judge.finish()
	for _, p := range d.persons { // sessions outlive their connections
		if _, err := d.admin.DisconnectUser(d.t.Context(), p.name); err != nil {
			d.t.Fatal(err)
		}
	}
	hosttest.Await(d.t, "the host has logged everybody out upstream", func() bool {
		d.upstream.arrivals(d.began)
		return d.upstream.sessions() == 0
	})
	now := d.look()
	defer func() {
		d.t.Logf("after everybody has gone: %v; the upstream has %d connections", now, d.upstream.connections())
	}()
	hosttest.Await(d.t, "goroutines and descriptors are what they were", func() bool {
		now = d.look()
		return now.goroutines <= empty.goroutines+8 && now.hostFiles <= empty.hostFiles+4+d.upstream.connections()
	})
	d.t.Logf("%v; changes: %v; outages: %d", d.judge.counts, d.changes, len(d.outages))
	d.judgeGrowth()
	n := d.judge.counts
	for _, o := range []outcome{served, refusedToken, refusedPermission} {
		if n.outcomes[o] == 0 {
			d.t.Errorf("no call was %v: this shows nothing", o)
		}
	}
	if n.due == 0 || n.staged == 0 || n.committed == 0 || n.aborted == 0 {
		d.t.Errorf("this shows nothing: %v", n)
	}
}

// judgeGrowth fails the test if something has grown in the host. What comes
// before the first fifth is over is warming up.
func (d *door) judgeGrowth() {
	d.t.Helper()
	seen := d.seen[len(d.seen)/5:]
	// More of the clients may be connected at last, and to the upstream.
	swing := float64(min(d.clients, 256))
	for _, q := range []struct {
		name string
		of   func(sight) float64
		most float64
	}{
		{"memory", func(s sight) float64 { return s.host }, mostGrowthBytes},
		{"heap", func(s sight) float64 { return s.heap }, mostGrowthBytes},
		{"goroutines", func(s sight) float64 { return float64(s.goroutines) }, mostMoreGoroutines + swing},
		{"descriptors", func(s sight) float64 { return float64(s.hostFiles) }, mostMoreFiles + swing},
	} {
		grown, mean := growth(seen, q.of)
		d.t.Logf("the host's %s: %.0f on the average, grown by %.0f", q.name, mean, grown)
		if grown > max(q.most, mostGrowth*mean) {
			d.t.Errorf("the host's %s has grown by %.0f, more than %.0f", q.name, grown, max(q.most, mostGrowth*mean))
		}
	}
}
