package supervisor

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Supervisor keeps one plugin running and forwards calls to it. Its methods
// may be called at any time and from any number of goroutines.
type Supervisor struct {
	dir      *runDir
	launcher *launcher

	ctx      context.Context // ends when Stop is called
	cancel   context.CancelFunc
	done     chan struct{}     // closed when nothing of the plugin is left
	reloads  chan *replacement // to the keeper
	changing chan struct{}     // holds one item while a reload is under way
	events   sync.Mutex        // held while one event is reported

	mu      sync.Mutex // guards the rest
	options Options    // as of the start or the last reload that worked
	exe     *executable
	live    *instance     // nil while calls have to wait
	turn    chan struct{} // closed when live or state is set
	current *instance     // the newest one that was live
	status  Status
}

// Start returns once the plugin is configured, or with the reason it cannot
// be; then nothing is left running. Refuses: Invalid (a setting, of the host or
// of the plugin), Unavailable.
func Start(ctx context.Context, o Options) (*Supervisor, error) {
	o = o.withDefaults()
	dir, err := openRunDir(o.RunDir)
	if err != nil {
		return nil, err
	}
	exe, err := find(o, dir)
	if err != nil {
		return nil, err
	}
	s := &Supervisor{
		dir: dir, launcher: newLauncher(), done: make(chan struct{}), reloads: make(chan *replacement),
		changing: make(chan struct{}, 1), options: o, exe: exe, turn: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	in, err := s.start(ctx)
	if err != nil {
		if exe.await() == nil {
			s.emit(PluginStartFailed, exe, nil, err)
		}
		s.cancel()
		s.clear()
		return nil, err
	}
	s.publish(in)
	s.emit(PluginStarted, exe, in, nil)
	go s.keep(in)
	return s, nil
}

// Stop lets calls under way finish, ends the plugin, and returns when no
// process, socket or copy is left. If ctx ends first the plugin is killed.
// Calls that wait, and those made later, get Unavailable.
func (s *Supervisor) Stop(ctx context.Context) error {
	s.cancel()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	in := s.current
	s.mu.Unlock()
	in.end(ctx.Err())
	in.proc.kill()
	<-s.done
	return nil
}

// Description returns what the plugin said of itself when it was last
// configured.
func (s *Supervisor) Description() account.Description {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.current.description
	d.Capabilities = slices.Clone(d.Capabilities)
	return d
}

// Status returns what an operator sees.
func (s *Supervisor) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, in := s.status, s.current
	st.Name, st.Version, st.Capabilities = in.description.Name, in.description.Version, slices.Clone(in.description.Capabilities)
	st.Protocol = in.client.NegotiatedVersion()
	st.Path, st.SHA256, st.Pinned = s.exe.path, s.exe.sum, s.exe.pinned
	if s.live != nil && in.over.Err() == nil {
		st.PID, st.StartedAt = in.proc.pid(), in.started
	}
	return st
}

// acquire returns the live instance, on whose calls the caller calls Done, and
// waits for one until ctx ends.
func (s *Supervisor) acquire(ctx context.Context) (*instance, error) {
	for {
		s.mu.Lock()
		in, turn, stopped := s.live, s.turn, s.status.State == Stopped
		if in != nil && in.over.Err() == nil {
			in.calls.Add(1)
			s.mu.Unlock()
			return in, nil
		}
		why := s.status.LastError
		s.mu.Unlock()
		if in != nil {
			why = in.reason().Error()
		}
		if stopped {
			return nil, account.Unavailable("plugin %s has been stopped", s.name())
		}
		select {
		case <-turn:
		case <-ctx.Done():
			if why == "" {
				why = "it is being replaced"
			}
			return nil, account.Unavailable("plugin %s is not running: %s", s.name(), why)
		}
	}
}

func (s *Supervisor) executable() *executable {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exe
}

func (s *Supervisor) name() string { return s.executable().name() }

// publish hands calls to the instance. The one before is reaped (rule 2).
func (s *Supervisor) publish(in *instance) {
	pace := s.settings().Pace
	in.health.Go(func() { in.watchHealth(pace) })
	s.mu.Lock()
	s.live, s.current, s.status.State = in, in, Running
	close(s.turn)
	s.turn = make(chan struct{})
	s.mu.Unlock()
}

// retract stops handing out calls.
func (s *Supervisor) retract(state State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live, s.status.State = nil, state
	if state == Stopped {
		close(s.turn)
		s.turn = make(chan struct{})
	}
}

func (s *Supervisor) settings() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

// emit reports an event of the executable to the log and to whoever asked for
// events. in is nil if no process of it is meant.
func (s *Supervisor) emit(kind EventKind, exe *executable, in *instance, reason error) {
	s.events.Lock()
	defer s.events.Unlock()
	s.mu.Lock()
	o, e := s.options, Event{Kind: kind, At: time.Now(), Path: exe.path, SHA256: exe.sum}
	if in != nil {
		e.Name, e.Version = in.description.Name, in.description.Version
		e.PID = in.proc.pid()
	}
	if reason != nil {
		e.Reason = reason.Error()
		s.status.LastError = e.Reason
	}
	s.mu.Unlock()
	args := []any{"event", string(kind), "path", e.Path, "pid", e.PID}
	if reason != nil {
		o.Logger.Error("users plugin", append(args, "reason", e.Reason)...)
	} else {
		o.Logger.Info("users plugin", args...)
	}
	o.OnEvent(e)
}
