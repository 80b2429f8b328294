package conformance

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Subject is the backend under test.
type Subject struct {
	// Launch starts a process of the backend, which has greeted and answered a
	// health check when it returns, and is not configured.
	Launch func(ctx context.Context, l Launch) (Process, error)

	// Executable is the file that Launch runs; the cases about the host's death
	// start it by themselves.
	Executable string

	// Settings are the backend's own, as in plugin.settings. In their values
	// StoreMark stands for a name that is new for each store that a case wants:
	// without it, and unless the store is in the home, all cases would meet in
	// one.
	Settings map[string]string

	// WithoutTLS says that Launch never uses AutoMTLS, for a backend whose runtime
	// cannot: cases about it are then unsupported.
	WithoutTLS bool

	// Administrator names an enabled ADMIN of a backend that does not declare
	// "change": others get one of the suite's own.
	Administrator account.Credentials
}

// StoreMark is what a setting has where the name of a store belongs.
const StoreMark = "{store}"

// Launch says how to start a process.
type Launch struct {
	WithoutTLS bool
	// Output takes what the process writes, as it is, from several goroutines:
	// the stream is "stdout", the line of the handshake included, "stderr", or
	// "stdio stdout" and "stdio stderr", which go-plugin's stdio service carries.
	Output func(stream string, p []byte)
}

// Process is one process of the backend.
type Process interface {
	Conn() grpc.ClientConnInterface
	PID() int
	Exited() <-chan struct{} // closed when it has ended
	// Shutdown asks it to end as a host does, kills it after the bound, and
	// returns how it ended, such as "exit status 0".
	Shutdown(bound time.Duration) string
	Kill() // with SIGKILL
}
