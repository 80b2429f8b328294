package management

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// errLate ends a backup of which nothing comes any more.
var errLate = errors.New("late")

// Backup writes the plugin's store as of one moment to w, in the form of
// shared/backup. It is for the owner of the home only. It refuses: NotPermitted,
// Conflict (another one is under way), Unavailable, Unsupported.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(c.options.AnswerWithin, func() { cancel(errLate) })
	defer late.Stop()
	stream, err := c.operator.Backup(ctx, &managementv1.BackupRequest{})
	for err == nil {
		var p *managementv1.BackupResponse
		if p, err = stream.Recv(); err != nil {
			break
		}
		late.Stop() // what w takes is not the host's
		if _, err := w.Write(p.GetData()); err != nil {
			return err
		}
		late.Reset(c.options.AnswerWithin)
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case context.Cause(ctx) == errLate:
		return account.Unavailable("the host has sent nothing of a backup for %s", c.options.AnswerWithin)
	}
	return c.answer(ctx, err)
}
