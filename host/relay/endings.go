package relay

import (
	"context"
	"sync"
	"time"
)

// task is what there is to do upstream for a session that holds it no more: to
// abort transactions, and then to log out.
type task struct {
	holding *holding // its session's
	login   *login   // nil: none that is good
	aborts  []*transaction
	logout  bool
	renewed bool // the login was made for the task

	since time.Time
}

// aborted says that a transaction of the task is aborted, or given up.
func (t *task) aborted(x *transaction) {
	t.holding.session.CloseTransaction(x.id())
	t.holding.aborting.Add(-1)
}

// workers is how many tasks are carried out at once.
const workers = 8

// The upstream is tried again after a while that grows, and for so long.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
	giveUpAfter  = time.Minute
)

// endings carries tasks out. A task that waits costs little, and none of them a
// goroutine of its own.
type endings struct {
	settle   func(*task) error
	gaveUp   func(leftovers)
	patience time.Duration // with an upstream that is away

	mu      sync.Mutex // guards what follows
	queue   turns
	workers int
	logins  int           // under way, whose sessions may end meanwhile
	pause   time.Duration // of the last failure; 0: there was none since a success
	away    time.Time     // the first failure since a success
	resume  *time.Timer   // nil: nothing is paused
	stopped bool
	lost    leftovers       // given up, and not told of yet
	left    leftovers       // after stopped
	empty   []chan struct{} // closed when there is nothing to do
}

// leftovers is what was not settled.
type leftovers struct{ transactions, logins int }

func (l *leftovers) add(t *task) {
	l.transactions += len(t.aborts)
	if t.logout && t.login != nil {
		l.logins++
	}
}

func (e *endings) add(t *task) {
	t.since = time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		e.left.add(t)
		return
	}
	e.queue.add(t)
	e.hire()
}

// hire has one worker more, if there is something to begin. mu is held.
func (e *endings) hire() {
	if e.resume == nil && e.workers < workers && len(e.queue.ready) > 0 {
		e.workers++
		go e.work()
	}
}

// expect says that a login is under way, which may have to be logged out; settled
// must follow, behind that task if there is one.
func (e *endings) expect() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logins++
}

func (e *endings) settled() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logins--
	e.tell()
}

func (e *endings) work() {
	for {
		t := e.next()
		if t == nil {
			return
		}
		if err := e.settle(t); err != nil {
			e.failed(t)
			continue
		}
		e.mu.Lock()
		e.queue.done(t)
		e.pause = 0
		e.mu.Unlock()
	}
}

// next returns nil when the worker is to end.
func (e *endings) next() *task {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue.ready) == 0 || e.resume != nil {
		e.workers--
		e.tell()
		return nil
	}
	t := e.queue.next()
	e.hire()
	return t
}

// failed takes a task back, and lets the upstream rest.
func (e *endings) failed(t *task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue.done(t)
	if e.stopped {
		e.left.add(t)
		return
	}
	now := time.Now()
	if now.Sub(t.since) >= e.patience {
		e.giveUp(t)
	} else {
		e.queue.add(t)
	}
	if e.resume != nil {
		return
	}
	if e.pause == 0 {
		e.away = now
	}
	e.pause = min(max(2*e.pause, firstPause), longestPause)
	e.resume = time.AfterFunc(e.pause, e.goOn)
}

// giveUp is for a task that has been tried for too long. mu is held.
func (e *endings) giveUp(t *task) {
	e.lost.add(t)
	for _, x := range t.aborts {
		t.aborted(x)
	}
}

// dropOld gives up what has waited too long for an upstream that has been away as
// long. mu is held.
func (e *endings) dropOld(now time.Time) {
	if e.pause == 0 || now.Sub(e.away) < e.patience {
		return
	}
	for _, t := range e.queue.drop(func(t *task) bool { return now.Sub(t.since) >= e.patience }) {
		e.giveUp(t)
	}
}

// goOn ends a pause.
func (e *endings) goOn() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.resume = nil
	e.dropOld(time.Now())
	if e.lost != (leftovers{}) { // one line for all
		e.gaveUp(e.lost)
		e.lost = leftovers{}
	}
	e.hire()
	e.tell()
}

// tell tells those that wait for it that there is nothing to do. mu is held.
func (e *endings) tell() {
	if e.workers > 0 || e.logins > 0 || e.queue.waiting > 0 && !e.stopped {
		return
	}
	for _, c := range e.empty {
		close(c)
	}
	e.empty = nil
}

// wait returns a channel that is closed when there is nothing to do. mu is held.
func (e *endings) wait() <-chan struct{} {
	c := make(chan struct{})
	e.empty = append(e.empty, c)
	e.tell()
	return c
}

// drain returns when everything is settled or given up, or ctx ends.
func (e *endings) drain(ctx context.Context) {
	e.mu.Lock()
	empty := e.wait()
	e.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

// stop gives up what is left. Tasks that come later are left, too, and so may the
// logins under way be, whose calls are to be ended now.
func (e *endings) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	e.left = e.lost
	e.left.logins += e.logins
	for _, t := range e.queue.drop(func(*task) bool { return true }) {
		e.left.add(t)
	}
	if e.resume != nil {
		e.resume.Stop()
	}
}

// rest waits, after stop, for the workers and for logins under way, and returns
// what was not settled.
func (e *endings) rest() leftovers {
	e.mu.Lock()
	workless := e.wait()
	e.mu.Unlock()
	<-workless
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.left
}
