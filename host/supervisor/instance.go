package supervisor

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// instance is one process that has greeted, from its handshake to its end.
type instance struct {
	exe         *executable
	run         *run
	proc        *process
	client      *goplugin.Client
	users       *wire.Client
	started     time.Time
	description account.Description // once it is configured

	// over ends, with the reason, when the process is dead or about to be
	// killed. Calls end with it.
	over context.Context
	end  context.CancelCauseFunc

	// serving ends when the calls are drained. Watches end with it.
	serving  context.Context
	withdraw context.CancelFunc

	calls   sync.WaitGroup // under way; added to only while the instance is live
	silence silence
	health  sync.WaitGroup
}

// launch starts a copy and returns when the process has answered a health
// check. It is not configured yet, and so holds no lock of a store. Meanwhile
// the copy may still be made, or is hashed again.
func (s *Supervisor) launch(ctx context.Context, o Options, exe *executable) (*instance, error) {
	o.StartTimeout = within(ctx, o.StartTimeout).Round(time.Millisecond)
	dir, err := s.dir.fresh("s")
	if err != nil {
		return nil, account.Unavailable("cannot start plugin %s: %v", exe.name(), err)
	}
	r := newRun(s.launcher, exe, dir, o.AutoMTLS, newOutput(o.Logger.Named(exe.name())))
	r.raw = o.raw
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ClientPlugins(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		RunnerFunc:       r.adopt,
		AutoMTLS:         o.AutoMTLS,
		SkipHostEnv:      true,
		StartTimeout:     2 * o.StartTimeout, // ours below ends the wait, and says so
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: s.dir.path},
		SyncStdout:       r.raw.also("stdio stdout", r.out.stream("stdout")),
		SyncStderr:       r.raw.also("stdio stderr", r.out.stream("stderr")),
		Logger:           hclog.NewNullLogger(), // it would repeat what is reported here
		GRPCDialOptions:  wire.DialOptions(),
	})
	in := &instance{exe: exe, run: r, client: client, started: time.Now()}
	in.over, in.end = context.WithCancelCause(context.Background())
	in.serving, in.withdraw = context.WithCancel(in.over)

	ctx, cancel := context.WithTimeout(ctx, o.StartTimeout)
	defer cancel()
	// go-plugin waits without bound for a process that accepts and never
	// answers; its death ends every such wait.
	stop := context.AfterFunc(ctx, func() { r.Kill(ctx) })
	defer stop()
	err = in.connect(ctx)
	if err != nil {
		failure := r.explain(ctx, exe, o, err)
		in.destroy(failure)
		return nil, failure
	}
	return in, nil
}

func (in *instance) connect(ctx context.Context) error {
	protocol, err := in.client.Client()
	close(in.run.connected)
	if in.proc = in.run.process(); in.proc != nil {
		go func() {
			<-in.proc.exited
			in.end(errors.New("it ended (" + in.proc.end + ")"))
		}()
	}
	if err != nil {
		return err
	}
	dispensed, err := protocol.Dispense(wire.PluginName)
	if err != nil {
		return err
	}
	in.users = dispensed.(*wire.Client)
	return in.check(ctx)
}

// configure hands the configuration over, which opens the store.
func (in *instance) configure(ctx context.Context, c account.Configuration, bound time.Duration) error {
	bound = within(ctx, bound).Round(time.Millisecond)
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	stop := context.AfterFunc(in.over, cancel)
	defer stop()
	d, err := in.users.Configure(ctx, c)
	if err == nil {
		in.description = d
		return nil
	}
	if e, ok := errors.AsType[*account.Error](err); ok && !wire.Transport(err) {
		refusal := *e
		refusal.Message = "cannot start plugin " + in.exe.name() + ": " + e.Message
		return &refusal
	}
	if in.isOver(exitGrace) {
		return account.Unavailable("cannot start plugin %s: %v while it was being configured%s", in.exe.name(), in.reason(), in.run.lastWords())
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return account.Unavailable("cannot start plugin %s: it did not answer its configuration within %s", in.exe.name(), bound)
	}
	return account.Unavailable("cannot start plugin %s: %v", in.exe.name(), err)
}

// within returns the bound, or what is left of ctx's time if that is less.
func within(ctx context.Context, bound time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline))
	}
	return bound
}

// isOver reports whether the instance ends within the grace.
func (in *instance) isOver(grace time.Duration) bool {
	select {
	case <-in.over.Done():
		return true
	case <-time.After(grace):
		return false
	}
}

// reason says why the instance is over.
func (in *instance) reason() error { return context.Cause(in.over) }

// condemn ends the instance for the reason: its calls end, and it is killed.
func (in *instance) condemn(reason error) {
	in.end(reason)
	in.proc.kill()
}

// drain waits for the calls under way. Those that take longer than the bound
// are cut off, to be repeated on the next instance. Watches end last: the lease
// lives on them (rule 5).
func (in *instance) drain(bound time.Duration) {
	defer in.withdraw()
	idle := make(chan struct{})
	go func() { in.calls.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-time.After(bound):
		in.end(errors.New("it was asked to end"))
		<-idle
	}
}

// retire asks the process to end, kills it if that takes too long, and returns
// when it is reaped and nothing of it is left.
func (in *instance) retire(bound time.Duration) {
	kill := time.AfterFunc(bound, in.proc.kill)
	defer kill.Stop()
	in.destroyed(false)
}

// destroy kills the process and returns when nothing of it is left.
func (in *instance) destroy(reason error) {
	in.end(reason)
	in.run.Kill(context.Background())
	in.destroyed(true)
}

func (in *instance) destroyed(killed bool) {
	if killed && in.proc != nil {
		<-in.proc.exited // or go-plugin would wait for an answer first
	}
	in.client.Kill()
	if in.proc != nil {
		<-in.proc.exited
	}
	in.end(errors.New("it was asked to end"))
	in.withdraw()
	in.health.Wait()
	in.run.out.close()
	os.RemoveAll(in.run.dir)
}
