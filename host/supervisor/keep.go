package supervisor

import (
	"context"
	"time"
)

// start launches the present executable and configures it.
func (s *Supervisor) start(ctx context.Context) (*instance, error) {
	s.mu.Lock()
	o, exe := s.options, s.exe
	s.mu.Unlock()
	in, err := s.launch(ctx, o, exe)
	if err != nil {
		return nil, err
	}
	if err := in.configure(ctx, o.Configuration, o.StartTimeout); err != nil {
		in.destroy(err)
		return nil, err
	}
	return in, nil
}

// keep is the one goroutine that starts, replaces and ends instances. in is
// nil while there is none.
func (s *Supervisor) keep(in *instance) {
	defer s.clear()
	pace := s.settings().Pace
	pause := backoff{least: pace.RestartMin, most: pace.RestartMax}
	for s.ctx.Err() == nil {
		if in == nil {
			in = s.revive(&pause)
			continue
		}
		select {
		case <-in.proc.exited:
			<-in.over.Done() // with the reason
			s.retract(Restarting)
			in.destroy(in.reason())
			s.emit(PluginExited, in.exe, in, in.reason())
			if time.Since(in.started) >= pace.Healthy {
				pause.reset()
			}
			in = nil
		case r := <-s.reloads:
			in = s.replace(r, in)
		case <-s.ctx.Done():
		}
	}
	s.retract(Stopped)
	if in != nil {
		in.drain(pace.Drain)
		in.retire(pace.Shutdown)
	}
	s.emit(PluginStopped, s.executable(), in, nil)
}

// revive tries once to start the plugin again, after its pause, or serves a
// reload meanwhile. It returns nil if there is still none.
func (s *Supervisor) revive(pause *backoff) *instance {
	select {
	case <-time.After(pause.next()):
	case r := <-s.reloads:
		return s.replace(r, nil)
	case <-s.ctx.Done():
		return nil
	}
	in, err := s.start(s.ctx)
	if err != nil {
		if s.ctx.Err() == nil && err.Error() != s.Status().LastError { // said once
			s.emit(PluginStartFailed, s.executable(), nil, err)
		}
		return nil
	}
	s.mu.Lock()
	s.status.Restarts++
	s.mu.Unlock()
	s.publish(in)
	s.emit(PluginRestarted, in.exe, in, nil)
	return in
}

// clear removes what is left when no process is.
func (s *Supervisor) clear() {
	s.launcher.stop()
	if err := s.dir.clean(); err != nil {
		s.settings().Logger.Warn("cannot clear the plugin's run directory", "error", err)
	}
	close(s.done)
}
