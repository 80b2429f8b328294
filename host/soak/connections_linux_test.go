package soak_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// TestSoakConnections floods the management socket with connections that say
// nothing, or half of what a client says first. Each user gets a bounded number,
// and loses those after a while; others are served all the time; nothing is
// left.
func TestSoakConnections(t *testing.T) {
	beside(t)
	if os.Geteuid() != 0 {
		t.Log("only root can be another user: the host's own is flooded, and only afterwards served")
	}
	h := startFlooded(t)
	o := newOnlooker(t, h)
	o.look(0, nil)
	before, routines := usageOf(t, h.PID()), goroutines(t, h)
	users := []int{self}
	if os.Geteuid() == 0 {
		users = []int{firstUser, firstUser + 1, firstUser + 2}
	}
	var loads []*load
	for _, uid := range users {
		loads = append(loads, startLoad(t, uid, "connections", "-socket", h.Socket(), "-connections", fmt.Sprint(perUser+64)))
	}
	most := before.descriptors + len(users)*perUser + 64 // those that are just being refused
	// Long enough for each connection to be thrown out once.
	for began := time.Now(); time.Since(began) < hosttest.Span(t, "CONCOURSE_SOAK", 0)/20+12*time.Second; {
		if os.Geteuid() == 0 {
			s := o.look(time.Second, loads)
			t.Logf("%s: %v; the host has %v", commandLine, s.took[commandLine], usageOf(t, h.PID()))
		}
		if u := usageOf(t, h.PID()); u.descriptors > most || u.rss > mostHost {
			t.Errorf("the host has %v, more than %d descriptors or %v MiB", u, most, mib(mostHost))
		}
	}
	for _, l := range loads {
		r := l.end()
		t.Logf("%v", r)
		if r.Answers["thrown out"] < perUser/2 || r.Answers["not let in"] == 0 {
			t.Errorf("no connection was bounded in number or time: %v", r)
		}
	}
	hosttest.Await(t, "descriptors and goroutines are what they were", func() bool {
		return usageOf(t, h.PID()).descriptors <= before.descriptors+2 && goroutines(t, h) <= routines+8
	})
	if err := o.commandLine(attacked); err != nil {
		t.Error(err)
	}
}
