package gate_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// What a step reads or writes. Two steps that share nothing which either
// writes come to the same in both orders.
type touch uint

const (
	store  touch = 1 << iota // the double's accounts
	table                    // the connection table, the lease included
	stream                   // what the double has yet to tell the host
	clock
)

// step is what an actor does from one stop to the next: one entrance to what
// all share, and whatever follows that is the actor's own.
type step struct {
	what          string
	reads, writes touch
}

func (s step) free(o step) bool {
	return s.writes&(o.reads|o.writes) == 0 && o.writes&s.reads == 0
}

// actor is a goroutine that goes on only when it is told to.
type actor struct {
	name  string
	ready func() bool // whether its next step can be taken; nil: always
	free  bool        // nobody waits for its end, and each of its steps waits for ready

	next    step
	stopped bool // before next
	done    bool
	turn    chan struct{}
	over    *bool // the run is given up
}

// stop is where others may go first.
func (a *actor) stop(next step) {
	if a == nil {
		return // what happens before the race
	}
	a.next, a.stopped = next, true
	<-a.turn
	a.stopped = false
	if *a.over {
		runtime.Goexit()
	}
}

// when sets what the actor's first step waits for. That step touches whatever
// ready looks at.
func (a *actor) when(ready func() bool) { a.ready = ready }

type actorKey struct{}

// acting returns the actor of a call, nil if it has none.
func acting(ctx context.Context) *actor {
	a, _ := ctx.Value(actorKey{}).(*actor)
	return a
}

// run is one order of the steps of all actors.
type run struct {
	context.Context
	actors []*actor
	order  []string // who did what, pair by pair
	over   bool
	end    context.CancelFunc
}

func newRun() *run {
	r := &run{}
	r.Context, r.end = context.WithCancel(context.Background())
	return r
}

// act adds an actor, which goes on to its first stop.
func (r *run) act(name string, do func(context.Context)) *actor {
	a := &actor{name: name, turn: make(chan struct{}), over: &r.over}
	r.actors = append(r.actors, a)
	go func() {
		defer func() { a.done = true }()
		do(context.WithValue(r.Context, actorKey{}, a))
	}()
	return a
}

// among returns which actors can take their next step, by number.
func (r *run) among() (ready []int) {
	for i, a := range r.actors {
		if a.stopped && (a.ready == nil || a.ready()) {
			ready = append(ready, i)
		}
	}
	return ready
}

func (r *run) take(i int) {
	a := r.actors[i]
	r.order = append(r.order, a.name, a.next.what)
	if !a.free {
		a.ready = nil
	}
	a.turn <- struct{}{}
	synctest.Wait()
}

// waiting returns the actors that neither ended nor can go on.
func (r *run) waiting() (names []string) {
	for _, a := range r.actors {
		if !a.done && !a.free {
			names = append(names, a.name)
		}
	}
	return names
}

// told says what was done.
func (r *run) told() string {
	var b strings.Builder
	for i := 0; i < len(r.order); i += 2 {
		fmt.Fprintf(&b, "\n  %s: %s", r.order[i], r.order[i+1])
	}
	return b.String()
}

// stopAll ends every goroutine of the run.
func (r *run) stopAll() {
	r.over = true
	r.end() // of those who wait for the lease
	synctest.Wait()
	for _, a := range r.actors {
		if a.stopped {
			a.turn <- struct{}{}
		}
	}
	synctest.Wait()
}

// fork is a point of a run where several actors could go on.
type fork struct {
	ready []int
	steps map[int]step
	taken int
	// skip are actors whose step was tried here, or before, and shares nothing
	// with what was done since: to take it now would give an order that only
	// swaps what may be swapped.
	skip map[int]bool
}

// explorer goes through every order of the steps, one run after another. With
// all it also takes those orders that differ from one it took only in the order
// of neighbours which share nothing.
type explorer struct {
	all  bool
	path []*fork
}

// explore makes runs by begin until every order was taken. After each step it
// calls the check that begin returned, and at the end of a run the last.
func (e *explorer) explore(t *testing.T, begin func() (r *run, check, last func() error)) {
	t.Helper()
	for first := true; first || e.next(); first = false {
		r, check, last := begin()
		if err := e.follow(r, check, last); err != nil {
			t.Fatalf("%v, after%s", err, r.told())
		}
	}
}

// follow takes the path that is set, and from its end on the first step that
// can be taken, until none can be.
func (e *explorer) follow(r *run, check, last func() error) error {
	defer r.stopAll()
	synctest.Wait()
	for depth := 0; ; depth++ {
		ready := r.among()
		if len(ready) == 0 {
			break
		}
		if depth == len(e.path) && !e.fork(r, ready) {
			return nil
		}
		f := e.path[depth]
		if !slices.Equal(ready, f.ready) {
			return fmt.Errorf("the same steps came to something else: %v can go on, and %v could", ready, f.ready)
		}
		r.take(f.taken)
		if err := check(); err != nil {
			return err
		}
	}
	if names := r.waiting(); names != nil {
		return fmt.Errorf("%v wait for ever", names)
	}
	return last()
}

// fork adds a point to the path; false if all that could be done is to skip.
func (e *explorer) fork(r *run, ready []int) bool {
	f := &fork{ready: ready, steps: map[int]step{}, skip: map[int]bool{}}
	for _, i := range ready {
		f.steps[i] = r.actors[i].next
	}
	if n := len(e.path); n > 0 && !e.all {
		before := e.path[n-1]
		for i := range before.skip {
			if before.steps[i].free(before.steps[before.taken]) {
				f.skip[i] = true
			}
		}
	}
	if !f.choose() {
		return false
	}
	e.path = append(e.path, f)
	return true
}

func (f *fork) choose() bool {
	for _, i := range f.ready {
		if !f.skip[i] {
			f.taken = i
			return true
		}
	}
	return false
}

// next sets the path to one that was not taken yet; false if there is none.
func (e *explorer) next() bool {
	for n := len(e.path); n > 0; n = len(e.path) {
		f := e.path[n-1]
		f.skip[f.taken] = true
		if f.choose() {
			return true
		}
		e.path = e.path[:n-1]
	}
	return false
}
