package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// applying is one run of 'users apply'.
type applying struct {
	host    *steadyHost
	console *console
	report  *report
	plan    bool // nothing is to be changed

	named  []*task // in the order of the files
	pruned []*task // by name

	spared   bool     // pruning would have met the caller
	notes    []string // for the end
	heldBack bool     // nothing is deleted, because an account failed
}

// inFlight is how many accounts are under way at once. Commits and lines of the
// audit log come in groups, so that many at once cost little more than one;
// more than this gains nothing.
const inFlight = 32

// finishWithin bounds how long an interrupted run waits for what it has begun.
const finishWithin = 10 * time.Second

// phases puts the tasks in an order in which no guard refuses what the whole
// would not deserve: first what takes no administrator away, then the rest,
// then deletions, and last the caller's own account, whose session may end with
// its change. Within a phase the order is that of the files.
func (a *applying) phases() [][]*task {
	var first, rest, own []*task
	for _, t := range a.named {
		switch {
		case t.Username == a.host.caller:
			own = append(own, t)
		case t.Role != account.User && (t.Enabled == nil || *t.Enabled):
			first = append(first, t)
		default:
			rest = append(rest, t)
		}
	}
	return [][]*task{first, rest, a.pruned, own}
}

// run changes what differs, or says what it would change, between the beginning
// and the end of a report. It returns what ended it before its time, or, where a
// program reads, the first account that failed.
func (a *applying) run(ctx context.Context) error {
	do := (*task).carryOut
	if a.plan {
		do = (*task).plan
	}
	// until ends with ctx, which is the user's wish, and with an error that all
	// others would meet.
	until, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a.report.progress.begin()
	for _, phase := range a.phases() {
		// An account that could not be made may be what another, which no file
		// names any more, was to be replaced by.
		if len(phase) > 0 && phase[0].delete && slices.ContainsFunc(a.named, (*task).failed) {
			a.heldBack = true
			continue
		}
		a.inParallel(ctx, until, stop, phase, do)
	}
	a.report.progress.end()
	return a.report.conclude(context.Cause(until), ctx.Err() != nil)
}

// dependsOnTheRest reports whether the caller's own demotion was refused in a
// plan that makes another account an ADMIN. A plan is of the accounts as they
// are now.
func (a *applying) dependsOnTheRest() bool {
	return a.plan && slices.ContainsFunc(a.named, func(t *task) bool {
		return t.Username == a.host.caller && account.ReasonOf(t.err) == account.ReasonLastAdmin
	}) && slices.ContainsFunc(a.named, func(t *task) bool { return t.changed() && t.applied.Account.Role == account.Admin })
}

// inParallel does the tasks and reports them in their order. Once until has
// ended it begins no other, and waits for those that are under way.
func (a *applying) inParallel(ctx, until context.Context, stop context.CancelCauseFunc, tasks []*task, do func(*task, context.Context, context.Context, *steadyHost)) {
	work, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(finishWithin, giveUp) })()
	a.report.phase(tasks)
	queue := make(chan *task)
	var workers sync.WaitGroup
	for range min(inFlight, len(tasks)) {
		workers.Go(func() {
			for t := range queue {
				if until.Err() != nil {
					continue
				}
				do(t, work, until, a.host)
				if ends(t.err) {
					stop(t.err)
				}
				a.report.done(t)
			}
		})
	}
	for _, t := range tasks {
		if until.Err() != nil {
			break
		}
		queue <- t
	}
	close(queue)
	workers.Wait()
	a.report.rest()
}
