package supervisor

import (
	"context"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// replacement is a reload on its way to the keeper.
type replacement struct {
	options Options
	exe     *executable
	outcome chan error // of one place
}

// Reload starts the executable that the settings name now, which reread
// returns (nil: as they were), beside the running one, and then moves the calls
// over: those under way finish or are repeated, later ones wait, none fails.
// Watches end and are reopened by their callers. If the new one does not come
// up, or cannot be configured, the copy that ran before is kept or started
// again, and Reload returns the reason. A reload that has begun goes on when
// ctx ends.
// Refuses: Conflict (another reload is under way), Unavailable, Invalid.
func (s *Supervisor) Reload(ctx context.Context, reread func() (Options, error)) error {
	select {
	case s.changing <- struct{}{}:
	default:
		return account.Conflict("another reload of the plugin is under way")
	}
	r, err := s.prepare(reread)
	if err != nil {
		<-s.changing
		s.emit(PluginReloadFailed, r.exe, nil, err)
		return err
	}
	select {
	case s.reloads <- r:
	case <-s.done:
		r.exe.discard()
		<-s.changing
		return account.Unavailable("plugin %s has been stopped", s.name())
	case <-ctx.Done():
		r.exe.discard()
		<-s.changing
		return account.Unavailable("plugin %s was not reloaded: it is being started at the moment", s.name())
	}
	over := make(chan error, 1)
	go func() {
		err := <-r.outcome
		<-s.changing
		over <- err
	}()
	select {
	case err := <-over:
		return err
	case <-ctx.Done():
		return account.Unavailable("the reload of plugin %s goes on; its status will say how it ended", r.exe.name())
	}
}

// prepare returns what is known of the replacement even with an error.
func (s *Supervisor) prepare(reread func() (Options, error)) (*replacement, error) {
	r := &replacement{options: s.settings(), exe: &executable{}, outcome: make(chan error, 1)}
	if reread != nil {
		n, err := reread()
		if err != nil {
			return r, err
		}
		r.options = r.options.reloaded(n)
	}
	var err error
	r.exe, err = obtain(r.options, s.dir)
	return r, err
}

// replace carries out a reload and returns the instance that is live after it:
// the new one, the old one, the old program started again, or nil. old may be
// nil.
func (s *Supervisor) replace(r *replacement, old *instance) *instance {
	next, err := s.launch(s.ctx, r.options, r.exe)
	if err != nil {
		r.exe.discard()
		s.emit(PluginReloadFailed, r.exe, nil, err)
		r.outcome <- err
		return old
	}
	s.retract(Reloading)
	// Calls wait from here on. One deadline for all the steps, the way back
	// included, leaves a waiting call a third of its time for its answer.
	deadline := time.Now().Add(r.options.CallTimeout / 3 * 2)
	ctx, cancel := context.WithDeadline(s.ctx, deadline)
	defer cancel()
	if old != nil {
		old.drain(min(r.options.Pace.Drain, time.Until(deadline)/4))
		old.retire(min(r.options.Pace.Shutdown, time.Until(deadline)/4))
	}
	err = next.configure(ctx, r.options.Configuration, min(r.options.StartTimeout, time.Until(deadline)/2))
	if err != nil {
		next.destroy(err)
		r.exe.discard()
		return s.fallBack(ctx, r, err)
	}
	s.mu.Lock()
	before := s.exe
	s.exe, s.options = r.exe, r.options
	s.status.LastError = ""
	s.mu.Unlock()
	before.discard()
	s.publish(next)
	s.emit(PluginReloaded, r.exe, next, nil)
	r.outcome <- nil
	return next
}

// fallBack starts the program that ran before. If its time is too short for
// that, the keeper goes on trying.
func (s *Supervisor) fallBack(ctx context.Context, r *replacement, reason error) *instance {
	back, err := s.start(ctx)
	if err != nil {
		s.retract(Restarting)
	} else {
		s.publish(back)
	}
	s.emit(PluginReloadFailed, r.exe, nil, reason)
	if err != nil {
		s.emit(PluginStartFailed, s.executable(), nil, err)
	} else {
		s.emit(PluginRestarted, back.exe, back, nil)
	}
	r.outcome <- reason
	return back
}
