package relay

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// Call is a client's call that the gate has let in.
type Call struct {
	Session     *session.Session // nil: the method takes no token
	Method      *methods.Method
	Message     *message.Message
	Token       *message.Field // the access token among the arguments; nil: the method takes none
	Transaction *message.Field // nil: the call names none
	Environment string         // in its clean form
	Defaulted   bool           // the client named no environment: the upstream's own default counts there
	Reply       io.Writer      // the client's connection, which bounds its writes in time

	sent    atomic.Bool
	staging bool // holding.staging counts it; guarded by holding.mu
	writes  bool // it takes WRITE, by itself or for its transaction
}

// Sent reports whether the call may have gone to the data server: it is then to
// be waited for, even if its client has gone. Any goroutine may ask.
func (c *Call) Sent() bool { return c.sent.Load() }

// Refusals of a call, besides those of package account. After any of them but
// ErrCut nothing has been written to the client.
var (
	// ErrTransaction says that the call's transaction is none that its session has
	// open in that environment.
	ErrTransaction = errors.New("the session has no such transaction open in this environment")

	// ErrUnknown says that the upstream was asked and its answer got lost.
	ErrUnknown = errors.New("the data server's answer got lost; whether the call took effect is unknown")

	// ErrCut says that part of the answer has been written to the client: its
	// connection must be closed.
	ErrCut = errors.New("the data server's answer broke off")
)
