package conformance

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Outcome is how a case ended.
type Outcome string

// The outcomes.
const (
	Passed      Outcome = "passed"
	Failed      Outcome = "failed"
	Unsupported Outcome = "unsupported" // the backend does not declare what the case needs, or the machine lacks it
)

// Result is what became of one case.
type Result struct {
	Case
	Outcome   Outcome
	Took      time.Duration
	Failures  []string   // what was seen, and what was wanted
	Exchanges []Exchange // the newest calls of a failed case, oldest first
	Log       []string   // the newest lines of some weight that the processes of a failed case wrote
	Lacking   []string   // of an unsupported case: capabilities, or what the machine has not
}

// Report is what a run came to.
type Report struct {
	Backend account.Description
	Results []Result // in the order of Cases
	Took    time.Duration
}

// Count returns how many cases ended so.
func (r Report) Count(o Outcome) (n int) {
	for _, result := range r.Results {
		if result.Outcome == o {
			n++
		}
	}
	return n
}

// Options of a run.
type Options struct {
	Run     *regexp.Regexp               // which cases, by name; nil: all
	Workers int                          // how many at once; default: two for each processor, since half of them wait for a disk, but no more than 8
	Begun   func(name string)            // called before each
	Done    func(r Result, done, of int) // called after each, one at a time
}

// caseBound bounds one case.
const caseBound = 2 * time.Minute

// run is one run under way.
type run struct {
	subject Subject
	about   account.Description

	mu     sync.Mutex // guards the rest
	stores int
	seen   sightings
}

// Choose returns the cases whose names match; nil matches all.
func Choose(name *regexp.Regexp) []Case {
	return slices.DeleteFunc(Cases(), func(c Case) bool { return name != nil && !name.MatchString(c.Name) })
}

// Run runs the cases against the subject. It returns an error if no process
// could be started and configured at all, or without "change" its administrator
// not logged in: Invalid (a setting; the administrator), Unavailable. When
// ctx ends it returns its error with a report of the cases that were over.
func Run(ctx context.Context, s Subject, o Options) (Report, error) {
	began := time.Now()
	r := &run{subject: s}
	var err error
	if r.about, err = r.describe(ctx); err != nil {
		return Report{}, err
	}
	if s.Administrator.Username == "" && !slices.Contains(r.about.Capabilities, account.CapabilityChange) {
		return Report{}, account.Invalid("administrator", "this backend cannot change accounts; name an administrator of it")
	}
	cases := Choose(o.Run)
	report := Report{Backend: r.about, Results: make([]Result, len(cases))}
	var reporting sync.Mutex
	done := 0
	execute := func(i int) {
		if o.Begun != nil {
			o.Begun(cases[i].Name)
		}
		result := r.execute(ctx, cases[i])
		reporting.Lock()
		defer reporting.Unlock()
		if ctx.Err() != nil {
			return // what it says may be due to that
		}
		report.Results[i] = result
		if done++; o.Done != nil {
			o.Done(result, done, len(cases))
		}
	}
	together := make(chan int)
	var workers sync.WaitGroup
	for range cmp.Or(o.Workers, min(2*runtime.NumCPU(), 8)) {
		workers.Go(func() {
			for i := range together {
				execute(i)
			}
		})
	}
	for i, c := range cases {
		if !c.alone && !c.last && ctx.Err() == nil {
			together <- i
		}
	}
	close(together)
	workers.Wait()
	for _, phase := range []func(Case) bool{
		func(c Case) bool { return c.alone && !c.last },
		func(c Case) bool { return c.last },
	} {
		for i, c := range cases {
			if phase(c) && ctx.Err() == nil {
				execute(i)
			}
		}
	}
	report.Results = slices.DeleteFunc(report.Results, func(r Result) bool { return r.Outcome == "" })
	report.Took = time.Since(began)
	return report, ctx.Err()
}

// execute runs one case, in a goroutine of its own that it may end.
func (r *run) execute(ctx context.Context, c Case) Result {
	result := Result{Case: c, Outcome: Passed}
	if result.Lacking = c.lacks(r.about.Capabilities); len(result.Lacking) > 0 {
		result.Outcome = Unsupported
		return result
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, caseBound)
	defer cancel()
	t := &T{ctx: ctx, run: r, record: newRecord(&r.seen)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer t.cleanUp()
		defer t.survive()
		c.run(t)
	}()
	<-over
	result.Took = time.Since(began)
	if ctx.Err() == context.DeadlineExceeded {
		t.Errorf("the case took longer than %s", caseBound)
	}
	switch {
	case t.failed():
		result.Outcome, result.Failures, result.Exchanges = Failed, t.failures, t.record.newest()
		r.seen.scrub(&result)
		result.Log = t.log()
	case len(t.lacking) > 0:
		result.Outcome, result.Lacking = Unsupported, t.lacking
	}
	return result
}

// describe asks the backend what it is, on a store of its own, and makes sure
// that there is an administrator. An error says what the process logged, too.
func (r *run) describe(ctx context.Context) (account.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, caseBound)
	defer cancel()
	t := &T{ctx: ctx, run: r, record: newRecord(&r.seen)}
	d, err := r.tryOut(t)
	t.cleanUp()
	e, ok := errors.AsType[*account.Error](err)
	if !ok {
		return d, err
	}
	told := *e
	told.Message = r.seen.scrubbed(told.Message)
	for i, line := range slices.DeleteFunc(t.log(), func(l string) bool { return strings.Contains(e.Message, l) }) {
		if i == 0 {
			told.Message += "; its log ends with:"
		}
		told.Message += "\n  " + line
	}
	return d, &told
}

func (r *run) tryOut(t *T) (d account.Description, err error) {
	home, err := os.MkdirTemp("", "cv")
	if err != nil {
		return d, err
	}
	t.cleanup(func() { os.RemoveAll(home) })
	process, err := r.subject.Launch(t.ctx, Launch{Output: t.newOutput().take})
	if err != nil {
		return d, err
	}
	t.cleanup(process.Kill)
	ctx, cancel := t.Within(startBound)
	defer cancel()
	users := wire.NewClient(conn{process.Conn(), t.record})
	d, err = users.Configure(ctx, account.Configuration{Home: home, Settings: r.settings()})
	switch kind := account.KindOf(err); {
	case kind == account.KindInvalid, kind == account.KindUnavailable:
		return d, err
	case err != nil:
		return d, account.Unavailable("the backend could not be configured: %s", err)
	case r.subject.Administrator.Username == "", slices.Contains(d.Capabilities, account.CapabilityChange):
		return d, nil
	}
	return d, isAdministrator(ctx, users, r.subject.Administrator)
}

// isAdministrator refuses one whom the cases could not use.
func isAdministrator(ctx context.Context, users account.Users, c account.Credentials) error {
	name := account.Printable(c.Username)
	c.Listener = account.ManagementListener
	login, err := users.Authenticate(ctx, c)
	switch kind := account.KindOf(err); {
	case kind == account.KindInternal, kind == account.KindUnavailable:
		return account.Unavailable("the backend could not log its administrator '%s' in: %v", name, err)
	case err != nil:
		return account.Invalid("administrator", "the backend refuses the login of its administrator '%s': %v", name, err)
	case login.Account.Role != account.Admin:
		return account.Invalid("administrator", "'%s' is %s of this backend, and no %s", name, login.Account.Role, account.Admin)
	}
	return nil
}

// settings are the subject's for a store that no other case meets.
func (r *run) settings() map[string]string {
	r.mu.Lock()
	r.stores++
	name := fmt.Sprintf("%s-%d", strings.ToLower(rand.Text()[:12]), r.stores)
	r.mu.Unlock()
	settings := map[string]string{}
	for k, v := range r.subject.Settings {
		settings[k] = strings.ReplaceAll(v, StoreMark, name)
	}
	return settings
}
