package conformance

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

var leaksCases = []Case{
	{
		Name: "process/leaks-nothing", alone: true,
		Contract: `design rule 10: thousands of calls, refused and cancelled ones and watches among them, leave memory, threads and descriptors as they were`,
		run: func(t *T) {
			p := t.Open()
			if _, err := usageOf(p.process.PID()); err != nil {
				t.Lacks(err.Error())
			}
			p.settle()
		},
	},
}

// usage is what a process holds.
type usage struct {
	memory      int64 // bytes
	threads     int64
	descriptors int64 // room for so many: what was the most at a time, rounded up
}

// What rounds of calls may add once a process has warmed up. Memory has several
// rounds to come to rest: runtimes with a collector grow for a while.
const (
	restingRounds   = 2 // in a row: by itself a collector may once make up for a leak
	mostRounds      = 8
	moreMemory      = 3 << 20 // in a round
	moreThreads     = 32      // in all
	moreDescriptors = 192     // in all
)

// settle repeats rounds of calls until one of them adds no memory.
func (p *Plugin) settle() {
	t := p.t
	hold := func() usage {
		u, err := usageOf(p.process.PID())
		t.OK(err, "read what the process holds")
		return u
	}
	calls := p.round()
	first := hold()
	after, rested := first, 0
	for i := 0; i < mostRounds && rested < restingRounds; i++ {
		calls += p.round()
		before := after
		if after = hold(); after.memory-before.memory <= moreMemory {
			rested++
		} else {
			rested = 0
		}
	}
	if rested < restingRounds {
		t.Errorf("after each round of calls it holds more memory: %d KiB after the first, %d KiB after %d calls", first.memory>>10, after.memory>>10, calls)
	}
	if after.threads-first.threads > moreThreads {
		t.Errorf("it holds more and more threads: %d after the first round of calls, %d after %d calls", first.threads, after.threads, calls)
	}
	if after.descriptors-first.descriptors > moreDescriptors {
		t.Errorf("it holds more and more descriptors: room for %d after the first round of calls, for %d after %d calls", first.descriptors, after.descriptors, calls)
	}
}

// round makes calls of many kinds, and returns how many.
func (p *Plugin) round() int {
	const workers, each, watches = 4, 600, 200
	t := p.t
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for i := range each {
				var err error
				switch i % 6 {
				case 0:
					_, err = p.Users.Show(t.ctx, p.Admin, "nobody")
					t.Refused(err, account.KindNotFound, "", "show nobody")
					continue
				case 1:
					ctx, cancel := context.WithTimeout(t.ctx, time.Duration(i%50)*20*time.Microsecond)
					p.Users.List(ctx, p.Admin, "")
					cancel()
				case 2:
					_, _, err = p.Users.List(t.ctx, p.Admin, "")
				case 3:
					_, err = p.Users.Exists(t.ctx, fmt.Sprint("somebody", i))
				default:
					_, err = p.Users.Show(t.ctx, p.Admin, p.Admin.Username)
				}
				if err != nil {
					t.Errorf("read: %s", describe(err))
					return
				}
			}
			for range watches / workers {
				p.watchOnce()
			}
		})
	}
	working.Wait()
	if t.failed() {
		t.Fatalf("the calls went wrong, so that nothing can be said of leaks")
	}
	return workers*each + watches
}

// watchOnce opens a stream, asks for an account, and breaks it off.
func (p *Plugin) watchOnce() {
	ctx, cancel := p.t.Within(watchBound)
	defer cancel()
	requests := make(chan account.WatchRequest, 2)
	requests <- account.WatchRequest{Read: []string{p.Admin.Username}}
	requests <- account.WatchRequest{Heartbeat: 1}
	beaten := false
	err := p.Users.Watch(ctx, requests, func(e account.WatchEvent) error {
		if e.Heartbeat != nil {
			beaten = true
			cancel()
		}
		return nil
	})
	if !beaten {
		p.t.Errorf("watch: no heartbeat came: %s", describe(err))
	}
}
