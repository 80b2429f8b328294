package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
)

// reach is whether the upstream answers, and tells the log when that changes. Only
// a whole answer says that it does: something else may take its connections, or
// the upstream itself, which hangs.
type reach struct {
	logger  hclog.Logger
	address string
	missing atomic.Bool // there was no answer when there should have been one, and none since
}

// missed says that there was no answer, and why. That is nobody's fault if the
// caller has gone.
func (r *reach) missed(ctx context.Context, what string, why ...any) {
	if ctx.Err() == nil && r.missing.CompareAndSwap(false, true) {
		r.logger.Error(what, append([]any{"address", r.address}, why...)...)
	}
}

func (r *reach) answered() {
	if r.missing.Load() && r.missing.CompareAndSwap(true, false) {
		r.logger.Info("the data server can be reached again", "address", r.address)
	}
}

// whyNone says in an operator's words why a call of the relay's own got no answer.
func (c *conn) whyNone() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cut:
		return fmt.Errorf("there was none within %v", c.limit)
	case errors.Is(c.failure, io.EOF), errors.Is(c.failure, io.ErrUnexpectedEOF):
		return errors.New("the connection was closed instead")
	}
	return c.failure
}
