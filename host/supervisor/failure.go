package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// explain returns, in one line, why a process did not become a plugin that
// answers. err is what go-plugin or the first health check said; what the
// process did is the better evidence.
func (r *run) explain(ctx context.Context, exe *executable, o Options, err error) *account.Error {
	r.mu.Lock()
	refusal, ok := errors.AsType[*account.Error](r.failure)
	r.mu.Unlock()
	if ok { // of the copy
		return refusal
	}
	return account.Unavailable("cannot start plugin %s: %s", exe.name(), r.cause(ctx, exe, o, err))
}

func (r *run) cause(ctx context.Context, exe *executable, o Options, err error) string {
	r.mu.Lock()
	proc, failure, refusal, killed, greeting := r.proc, r.failure, r.refusal, r.killed, strings.TrimSpace(r.greeting)
	r.mu.Unlock()
	parts := strings.Split(greeting, "|")
	if e, ok := errors.AsType[*fs.PathError](failure); ok {
		failure = e.Err // the path is the copy's
	}
	switch {
	case errors.Is(failure, fs.ErrPermission):
		return fmt.Sprintf("%s cannot be executed: %v; the file system of %s must not be mounted noexec", exe.path, failure, r.dir)
	case errors.Is(failure, fs.ErrNotExist):
		return fmt.Sprintf("%s cannot be executed: %v; the interpreter in its first line, or the loader that it needs, may be missing", exe.path, failure)
	case failure != nil:
		return fmt.Sprintf("%s cannot be executed: %v", exe.path, failure)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("it did not begin to serve within %s%s", o.StartTimeout, r.lastWords())
	case ctx.Err() != nil:
		return "the host gave up"
	case proc == nil:
		return err.Error()
	case greeting == "":
		<-proc.exited
		return fmt.Sprintf("it ended before it began to serve (%s)%s", proc.end, r.lastWords())
	case len(parts) < 4 || parts[0] != strconv.Itoa(goplugin.CoreProtocolVersion):
		return fmt.Sprintf("it is not a plugin: its output begins with %q and not with a handshake", scrub(greeting, maxTailText))
	case !spoken(parts[1]):
		return fmt.Sprintf("it speaks protocol %s and this host protocol %d; use a build of it that is made for this host", scrub(parts[1], 20), wire.Protocol)
	case len(parts) < 5 || parts[4] != string(goplugin.ProtocolGRPC):
		return "it does not serve gRPC"
	case refusal != nil:
		return refusal.Error()
	}
	if !killed {
		select {
		case <-proc.exited:
			return fmt.Sprintf("it ended while it was being connected to (%s)%s", proc.end, r.lastWords())
		case <-time.After(exitGrace):
		}
	}
	return scrub(err.Error(), maxValue)
}

// spoken reports whether this host speaks the version of the contract.
func spoken(version string) bool {
	n, err := strconv.Atoi(version)
	_, ok := wire.ClientPlugins()[n]
	return err == nil && ok
}

const (
	maxTailText = 80
	// exitGrace is how long after a broken connection a process that is
	// dying may take until it is seen to be dead.
	exitGrace = 100 * time.Millisecond
)

// lastWords returns the newest log lines, to end a message with.
func (r *run) lastWords() string {
	r.awaitStderr()
	if last := r.out.lastLines(); last != "" {
		return ": " + last
	}
	return ""
}

// awaitStderr waits until standard error has been read to its end, which a
// descendant may hold open.
func (r *run) awaitStderr() {
	select {
	case <-r.read:
	case <-time.After(exitGrace):
	}
}

// named puts the plugin's name into an error of which it is the cause. A
// refusal stays as it is: it speaks of the request.
func (in *instance) named(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*account.Error](err)
	if !ok {
		return fmt.Errorf("plugin %s: %w", in.exe.name(), err)
	}
	switch e.Kind {
	case account.KindInternal, account.KindUnavailable:
	case account.KindThrottled:
		if !strings.Contains(e.Message, "message larger than max") { // gRPC's, for a reply past the limit
			return err
		}
	default:
		return err
	}
	c := *e
	c.Message = "plugin " + in.exe.name() + ": " + e.Message
	if e.Kind == account.KindThrottled {
		c.Kind = account.KindInternal
	}
	return &c
}
