package soak_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// size is how much load there is on the front door.
type size struct {
	span     time.Duration
	clients  int
	each     int           // clients of one account
	steps    int           // of all clients together, a second
	clerks   int           // who make changes
	every    time.Duration // between two changes of one of them
	round    time.Duration
	breaking time.Duration // between two kills, at most
}

func sizeOf(t *testing.T) size {
	t.Helper()
	if os.Getenv("CONCOURSE_SOAK") == "" {
		return size{
			span: 9 * time.Second, clients: 60, each: 3, steps: 200, clerks: 2, every: 150 * time.Millisecond,
			round: 1200 * time.Millisecond, breaking: 3 * time.Second,
		}
	}
	return size{
		span: hosttest.Span(t, "CONCOURSE_SOAK", 0), clients: 2000, each: 5, steps: 1500, clerks: 4, every: 250 * time.Millisecond,
		round: 15 * time.Second, breaking: 15 * time.Second,
	}
}

// TestSoakFront has many clients use the front door at once, in both styles of
// drivers, while administrators suspend, enable, change passwords, disconnect,
// grant and revoke, and plugin and upstream are killed. What everybody was told is
// held against what the upstream recorded: no call is let in whose token or grant
// was taken away before it began, none is lost, those that must be served are, and
// what ended sessions and lost rights had open is aborted. Nothing grows, and
// nothing is left.
func TestSoakFront(t *testing.T) {
	beside(t)
	s := sizeOf(t)
	d := newDoor(t, s)
	var clerks []*clerk
	for i := range s.clerks {
		k := &clerk{door: d, admin: d.h.Admin(), every: s.every, random: d.draws()}
		for j := i; j < len(d.persons); j += s.clerks {
			if j/s.clerks%4 > 0 { // every fourth account stays as it is
				k.persons = append(k.persons, d.persons[j])
			}
		}
		clerks = append(clerks, k)
	}
	empty := d.look()
	t.Logf("without clients: %v", empty)

	var clients, offices sync.WaitGroup
	defer clients.Wait()
	defer offices.Wait()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	office, done := context.WithCancel(context.Background())
	defer done()
	for i := range s.clients {
		style := []driver.Style{driver.Multiplexed, driver.Bare}[i%2]
		c := &client{door: d, person: d.persons[i/2%len(d.persons)], style: style, random: d.draws()}
		clients.Go(func() { c.live(ctx) })
	}
	for _, k := range clerks {
		offices.Go(func() { k.live(office) })
	}
	d.hold()
	done()
	offices.Wait()
	end()
	clients.Wait()
	d.close(empty)
}
