package soak_test

import (
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// inLease is less than a lease, by the time between two heartbeats and more: a
// plugin that is back by then has cost no session anything (rule 5).
const inLease = 4 * time.Second

// breakSomething kills the plugin or the upstream, and returns when it is back.
func (d *door) breakSomething() {
	d.t.Helper()
	if d.random.IntN(2) == 0 {
		d.breakPlugin()
	} else {
		d.breakUpstream()
	}
}

func (d *door) breakPlugin() {
	d.t.Helper()
	from := d.out(ofPlugin)
	killed := d.h.KillPlugin()
	hosttest.Await(d.t, "another plugin runs", func() bool { return d.h.PluginPID() != killed })
	d.in(recovering)
	if now := d.now(); now-from > inLease {
		d.mu.Lock()
		d.outages = append(d.outages, outage{of: ofLease, from: from, back: now, to: now + 2*inLease})
		d.mu.Unlock()
	}
}

func (d *door) breakUpstream() {
	d.t.Helper()
	d.out(ofUpstream)
	d.upstream.kill()
	time.Sleep(time.Duration(d.random.Int64N(int64(time.Second))))
	d.mu.Lock()
	d.outages[len(d.outages)-1].back = d.now()
	d.mu.Unlock()
	d.upstream.start()
	d.in(recovering)
}

// out notes that an outage begins.
func (d *door) out(of string) (from time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from = d.now()
	d.outages = append(d.outages, outage{of: of, from: from, to: forever})
	return from
}

// in notes that the last outage ends soon.
func (d *door) in(after time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outages[len(d.outages)-1].to = d.now() + after
}
