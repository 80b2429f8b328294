package supervisor

import (
	"context"
	"errors"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Watch opens a stream on the running plugin, waiting for one like any call.
// It is not repeated: it returns Unavailable when the plugin ends or is
// replaced, and the caller opens another.
func (s *Supervisor) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	wait, cancel := context.WithTimeout(ctx, s.settings().CallTimeout)
	in, err := s.acquire(wait)
	cancel()
	if err != nil {
		return unanswered(ctx, account.RequestID{}, false, err)
	}
	in.calls.Done() // a reload cuts a watch off instead of waiting for it
	open, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(in.serving, cancel)
	defer stop()
	var refused error
	err = in.users.Watch(open, requests, func(e account.WatchEvent) error {
		if e.Snapshot == nil && e.Heartbeat == nil {
			return nil // of a newer contract
		}
		if refused = s.bad("watch", checkEvent(e)); refused == nil {
			refused = deliver(e)
		}
		return refused
	})
	switch {
	case err == nil || refused != nil && errors.Is(err, refused):
		return err
	case wire.Transport(err) && ctx.Err() == nil:
		return account.Unavailable("plugin %s ended the watch stream", in.exe.name())
	case wire.Transport(err):
		return unanswered(ctx, account.RequestID{}, false, err)
	}
	return in.named(err)
}
