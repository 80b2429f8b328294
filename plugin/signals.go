package plugin

import (
	"os"
	"os/signal"
	"syscall"

	hclog "github.com/hashicorp/go-hclog"
)

// outliveSignals keeps the process serving through the signals that end its
// host: a service manager sends SIGTERM to both at once, a terminal SIGHUP, and
// the host still needs its plugin while it stops. The host then shuts it down
// through go-plugin; one that fails to takes it along when it dies. SIGINT is
// ignored by go-plugin.
func outliveSignals(logger hclog.Logger) {
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range received {
			logger.Info("ignoring a signal; the host ends its plugins", "signal", s.String())
		}
	}()
}
