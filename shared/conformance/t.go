package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// T is one case under way. Errorf may be called from any goroutine; what ends
// the case only from its own.
type T struct {
	ctx      context.Context
	run      *run
	record   *record
	mu       sync.Mutex // guards the rest
	outputs  []*output
	failures []string
	lacking  []string
	cleanups []func()

	processes []*Plugin // of the case's own goroutine
}

// mostFailures bounds what one case says.
const mostFailures = 8

// Context ends when the case must.
func (t *T) Context() context.Context { return t.ctx }

// Errorf notes a failure, and goes on.
func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.failures) < mostFailures {
		t.failures = append(t.failures, fmt.Sprintf(format, args...))
	}
}

// Fatalf notes a failure, and ends the case.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Lacks ends the case as unsupported, because the machine has not what it takes.
func (t *T) Lacks(what string) {
	t.mu.Lock()
	t.lacking = append(t.lacking, what)
	t.mu.Unlock()
	runtime.Goexit()
}

// survive, deferred, makes a panic of the case a failure: an answer that no case
// thought of must not end the run.
func (t *T) survive() {
	if r := recover(); r != nil {
		t.Errorf("the case cannot go on: %v", r)
	}
}

// failed reports whether there was a failure.
func (t *T) failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

// cleanup has f called when the case is over, the newest first.
func (t *T) cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

func (t *T) cleanUp() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

// OK ends the case if what was done has failed.
func (t *T) OK(err error, what string, args ...any) {
	if err != nil {
		t.Fatalf("%s: %s", fmt.Sprintf(what, args...), describe(err))
	}
}

// Refused notes a failure unless err is a refusal of the kind, for the reason if
// one is given.
func (t *T) Refused(err error, kind account.Kind, reason account.Reason, what string, args ...any) {
	asked := fmt.Sprintf(what, args...)
	wanted := kind.String()
	if reason != "" {
		wanted += " (" + string(reason) + ")"
	}
	if err == nil {
		t.Errorf("%s: was carried out, want it refused: %s", asked, wanted)
		return
	}
	e, ok := errors.AsType[*account.Error](err)
	switch {
	case account.KindOf(err) != kind, reason != "" && (!ok || e.Reason != reason):
		t.Errorf("%s: %s, want %s", asked, describe(err), wanted)
	case ok && kind != account.KindInternal && strings.TrimSpace(e.Message) == "":
		t.Errorf("%s: is refused without a message", asked)
	}
}

// RefusedField is Refused with an invalid argument, whose field it must name.
func (t *T) RefusedField(err error, field string, what string, args ...any) {
	t.Refused(err, account.KindInvalid, "", what, args...)
	if e, ok := errors.AsType[*account.Error](err); ok && e.Kind == account.KindInvalid && e.Field != field {
		t.Errorf("%s: the refusal names the field %q, want %q", fmt.Sprintf(what, args...), e.Field, field)
	}
}

// describe says what an error is, or that there is none, for a failure's text.
func describe(err error) string {
	if err == nil {
		return "no error"
	}
	e, ok := errors.AsType[*account.Error](err)
	if !ok {
		return err.Error()
	}
	text := e.Kind.String()
	if e.Reason != "" {
		text += " (" + string(e.Reason) + ")"
	}
	return fmt.Sprintf("%s: %q", text, e.Message)
}

// Within returns a context for one wait of the case.
func (t *T) Within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.ctx, d)
}

// Await waits until the condition holds, or ends the case.
func (t *T) Await(bound time.Duration, what string, holds func() bool) {
	for began := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > bound || t.ctx.Err() != nil {
			t.Fatalf("after %s it is still not so that %s", bound, what)
		}
	}
}

// dir makes a directory that goes when the case is over.
func (t *T) dir() string {
	dir, err := os.MkdirTemp("", "cv")
	t.OK(err, "make a directory")
	t.cleanup(func() { os.RemoveAll(dir) })
	return dir
}
