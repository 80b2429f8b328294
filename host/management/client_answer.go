package management

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

func interrupted() error {
	return &account.Error{Kind: account.KindInterrupted, Message: "interrupted"}
}

// answer is for calls that change nothing.
func (c *Client) answer(ctx context.Context, err error) error {
	return c.answerTo(ctx, err, "nothing was changed; run the command again")
}

// answerTo says what holds if the connection broke, and what to do about it.
func (c *Client) answerTo(ctx context.Context, err error, holds string) error {
	late := status.Code(err) == codes.DeadlineExceeded // the host may notice first
	err = wire.FromStatus(err)
	switch {
	case !wire.Transport(err):
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return interrupted()
	case late || ctx.Err() != nil:
		return account.Unavailable("the host did not answer in time")
	case c.socket.replaced():
		return account.Unavailable("the host was restarted before it answered; %s", holds)
	}
	return account.Unavailable("the connection to the host broke before it answered; %s", holds)
}

// socketFile is a socket as it was when it was connected to. A host makes a
// new one each time that it starts.
type socketFile struct {
	path string
	info fs.FileInfo
}

func (s socketFile) replaced() bool {
	now, err := os.Lstat(s.path)
	return err == nil && !(os.SameFile(now, s.info) && now.ModTime().Equal(s.info.ModTime()))
}
