package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// report tells of the tasks in their order, whatever the order in which they
// end: to people as soon as it can, to a program at the end. A rehearsal, too,
// is told of when all of it is known.
type report struct {
	console  *console
	of       *applying
	progress *progress

	mu      sync.Mutex // guards the rest, and what is written
	tasks   []*task    // of this phase
	next    int        // the first of them that is not told of
	ended   int        // of all phases
	writing error      // why standard output takes no more
}

func newReport(c *console, a *applying) *report {
	r := &report{console: c, of: a}
	r.progress = newProgress(c, &r.mu, r.line)
	return r
}

// line is for the progress.
func (r *report) line(took time.Duration) string {
	all := len(r.of.named) + len(r.of.pruned)
	s := fmt.Sprintf("%d of %s", r.ended, count(all, "account"))
	if r.ended == 0 {
		return s
	}
	rate := float64(r.ended) / took.Seconds()
	left := time.Duration(float64(all-r.ended) / rate * float64(time.Second))
	return fmt.Sprintf("%s, %.0f/s, %s left", s, rate, left.Round(time.Second))
}

func (r *report) phase(tasks []*task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks, r.next = tasks, 0
}

// done takes in what a task came to. One that was stopped by what is no
// account's fault counts as not begun, unless nobody knows what became of it.
func (r *report) done(t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.over = !ends(t.err) || account.KindOf(t.err) == account.KindOutcomeUnknown
	r.ended++
	if t.changed() && t.Username == r.of.host.caller && t.applied.Account.Role == account.User {
		t.applied.Note = "this takes ADMIN from your own account; the next run needs another administrator"
	}
	if t.created() && t.warning != "" {
		t.applied.Note = t.warning
	}
	for r.next < len(r.tasks) && r.tasks[r.next].over && !r.of.plan {
		r.tell(r.tasks[r.next])
		r.next++
	}
}

// rest tells of what was done behind one that was not begun.
func (r *report) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tasks[r.next:] {
		if t.over && !r.of.plan {
			r.tell(t)
		}
	}
	r.tasks = nil
}

// tell is for people. Standard error and standard output may be one terminal.
// It needs mu.
func (r *report) tell(t *task) {
	if r.console.json || t.err == nil && !t.applied.Changed && t.differs == nil {
		return
	}
	r.progress.erase()
	if t.err != nil {
		complain(os.Stderr, t.complaint())
		return
	}
	lines := []string{t.sentence()}
	if r.of.plan {
		lines = t.diff()
	}
	if t.applied.Note != "" {
		lines = append(lines, fmt.Sprintf("Note: %s: %s", t.Username, t.applied.Note))
	}
	r.writing = cmp.Or(r.writing, r.console.say(lines...))
}

// conclude says what all came to, and returns why it ended before its time. For
// people, who have read of every account that failed, the exit code is enough
// of those.
func (r *report) conclude(cause error, interrupted bool) error {
	all := slices.Concat(r.of.named, r.of.pruned)
	s := sum(all)
	ended := s.ended(cause, interrupted)
	if r.console.json {
		r.writing = printTasks(r.console, all, r.of.plan, cmp.Or(ended, s.heldBack()))
	} else {
		if r.of.plan {
			for _, t := range all {
				if t.over {
					r.tell(t)
				}
			}
		}
		r.writing = cmp.Or(r.writing, r.console.say(r.sentences(s)...))
	}
	switch failure := cmp.Or(ended, r.writing); {
	case failure != nil:
		return failure
	case r.console.json:
		return s.failure()
	case s.first != nil:
		r.console.code = exitCodes[account.KindOf(s.first.err)]
	}
	return nil
}

// sentences sums it up.
func (r *report) sentences(s sums) (lines []string) {
	switch {
	case s.unchanged == s.all:
		lines = append(lines, fmt.Sprintf("%s: nothing to change", count(s.all, "account")))
	case r.of.plan:
		lines = append(lines, fmt.Sprintf("%s: %s; nothing was changed", count(s.all, "account"), s.parts("to create", "to change", "to delete", "refused")))
	default:
		lines = append(lines, fmt.Sprintf("%s: %s", count(s.all, "account"), s.parts("created", "changed", "deleted", "failed")))
	}
	if r.of.spared {
		lines = append(lines, fmt.Sprintf("Note: %s is in no file, and stays, because it is your own account", r.of.host.caller))
	}
	lines = append(lines, r.of.notes...)
	if r.of.heldBack {
		lines = append(lines, "Note: nothing is deleted, because an account failed")
	}
	if r.of.dependsOnTheRest() {
		lines = append(lines, fmt.Sprintf("Note: %s comes last, so whether an enabled ADMIN is left then depends on the rest of the plan", r.of.host.caller))
	}
	return lines
}

// sums counts what the tasks came to.
type sums struct {
	all, created, changed, deleted, unchanged, kept, failed, left int
	first                                                         *task // of those that failed
}

func sum(all []*task) (s sums) {
	s.all = len(all)
	for _, t := range all {
		switch {
		case !t.over:
			s.left++
		case t.err != nil:
			if s.failed++; s.first == nil {
				s.first = t
			}
		case t.differs != nil:
			s.kept++
		case !t.applied.Changed:
			s.unchanged++
		case t.delete:
			s.deleted++
		case t.created():
			s.created++
		default:
			s.changed++
		}
	}
	return s
}

// parts lists what there is any of.
func (s sums) parts(created, changed, deleted, failed string) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{s.created, created}, {s.changed, changed}, {s.deleted, deleted},
		{s.unchanged, "unchanged"}, {s.kept, "kept"}, {s.failed, failed}, {s.left, "not begun"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// ended returns why a run ended before its time, nil if it did not.
func (s sums) ended(cause error, interrupted bool) error {
	e := &account.Error{Kind: account.KindInterrupted, Message: "interrupted"}
	switch {
	case interrupted && s.left+s.failed == 0, cause == nil:
		return nil
	case !interrupted:
		var known bool
		if e, known = errors.AsType[*account.Error](cause); !known {
			return cause
		}
	}
	if e.Kind == account.KindUnsupported {
		return e // another run comes to the same
	}
	// What follows a semicolon is advice for somebody who changes one account.
	what, _, _ := strings.Cut(e.Message, ";")
	ended := *e
	ended.Message = fmt.Sprintf("%s; %d of %s done, run it again for the rest", what, s.all-s.left-s.failed, count(s.all, "account"))
	return &ended
}

// heldBack is for a program: why nothing is deleted.
func (s sums) heldBack() error {
	return account.Refused("", "", "not deleted, because %d of %s failed", s.failed, count(s.all, "account"))
}

// failure is for a program: the first account that failed, and how many did.
func (s sums) failure() error {
	if s.first == nil {
		return nil
	}
	failure := &account.Error{Kind: account.KindInternal}
	if e, known := errors.AsType[*account.Error](s.first.err); known {
		*failure = *e
	}
	failure.Subject = s.first.Username
	failure.Message = fmt.Sprintf("%d of %s failed; the first is %s", s.failed, count(s.all, "account"), s.first.complaint())
	return failure
}
