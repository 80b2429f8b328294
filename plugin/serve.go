package plugin

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/process"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// closePatience bounds how long the store may take to close after the host's
// shutdown call: the host kills a plugin that is still there after 2 s.
const closePatience = 1500 * time.Millisecond

// Serve serves the backend to the host that started this process, until the
// host says that it is enough, and returns once the store is closed. It is the
// only statement that a main function needs.
//
// Started by a person it says so and exits with status 1; --version prints the
// backend's name and version. It sets hclog's default logger, whose lines come
// out in the host's log. Standard input is never read, and what is printed to
// standard output never reaches the real one, which go-plugin needs.
func Serve(b users.Backend) {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println(b.Name, b.Version)
		return
	}
	if os.Getenv(wire.Handshake.MagicCookieKey) != wire.Handshake.MagicCookieValue {
		fmt.Fprintf(os.Stderr, "this is the %s account backend, a plugin of the Concourse host; it is not run by hand: "+
			"the host, \"concourse start\", starts it by itself\n", b.Name)
		os.Exit(1)
	}
	dieWithHost()
	process.ForbidCoreDumps()

	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: os.Stderr, JSONFormat: true})
	hclog.SetDefault(logger)
	outliveSignals(logger)

	service := users.New(b, logger)
	answerWhileHashing()
	defer runtime.KeepAlive(ballast())
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ServerPlugins(service, logger),
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, wire.ServerOptions(logger)...)...)
		},
		Logger: logger,
	})
	// The host asked for the end: go-plugin has broken off its connections, so
	// that calls still under way are answered to nobody. They are waited for.
	closeWithin(closePatience, service, logger)
}

// closeWithin gives up after a while, which costs nothing but the wait for a
// lock that the end of the process lets go of: a store survives a kill.
func closeWithin(patience time.Duration, c io.Closer, logger hclog.Logger) {
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			logger.Error("the store did not close well", "error", err)
		}
	case <-time.After(patience):
		logger.Warn("the store did not close in time", "waited", patience)
	}
}
