package supervisor

import (
	"context"
	"io"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Backup and Restore are one attempt each, on the instance that runs now: what
// was sent is not sent again. They may take longer than CallTimeout.

// Backup forwards. It gives up once the plugin has sent nothing for CallTimeout,
// not even an empty message; the time that w takes does not count. Refuses: Unavailable.
func (s *Supervisor) Backup(ctx context.Context, w io.Writer) error {
	patience := s.settings().CallTimeout
	stalled := account.Unavailable("plugin %s sends no more of the backup", s.name())
	sending, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	p := &patient{to: w, within: patience, timer: time.NewTimer(patience)}
	defer p.timer.Stop()
	p.timer.Stop()
	go func() {
		select {
		case <-p.timer.C:
			giveUp(stalled)
		case <-sending.Done():
		}
	}()
	_, err := once(sending, s, account.CapabilityBackup, func(ctx context.Context, u account.Users) (struct{}, error) {
		p.timer.Reset(patience)
		return struct{}{}, u.Backup(ctx, p)
	})
	switch {
	case p.failed != nil:
		return p.failed
	case err != nil && context.Cause(sending) == error(stalled):
		return stalled
	}
	return err
}

// patient times how long the next write lets itself be waited for.
type patient struct {
	to     io.Writer
	timer  *time.Timer
	within time.Duration
	failed error // of to
}

func (p *patient) Write(data []byte) (n int, err error) {
	p.timer.Stop()
	n, p.failed = p.to.Write(data)
	p.timer.Reset(p.within)
	return n, p.failed
}

// Restore forwards.
func (s *Supervisor) Restore(ctx context.Context, r io.Reader) (account.Restored, error) {
	return once(ctx, s, account.CapabilityRestore, func(ctx context.Context, u account.Users) (account.Restored, error) {
		return u.Restore(ctx, r)
	})
}
