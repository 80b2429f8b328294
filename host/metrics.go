package host

import (
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/host/metrics"
)

// scrapeWithin is for scrapes under way when the host stops.
const scrapeWithin = time.Second

// serveMetrics serves the host's metrics where the settings say, if anywhere,
// and returns what ends that. They are served first and longest, so that a start
// and a stop that take their time can be watched.
func (r *running) serveMetrics() (stop func(), err error) {
	address := r.settings.Metrics.Address
	if address == "" {
		return func() {}, nil
	}
	listener, err := metrics.Listen(address)
	if err != nil {
		return nil, err
	}
	logger := r.logger.Named("metrics")
	server, done := r.metrics.NewServer(logger), make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); err != nil {
			logger.Error("metrics are no longer served", "error", err)
		}
	}()
	fmt.Fprintf(r.Out, "Metrics are served at http://%s/metrics\n", listener.Addr())
	return func() { server.Stop(scrapeWithin); <-done }, nil
}

// pluginMetrics is how the plugin does, from what the supervisor keeps.
func (r *running) pluginMetrics() metrics.Plugin {
	s := r.plugin.Status()
	return metrics.Plugin{Up: s.PID != 0, StartedAt: s.StartedAt, Restarts: s.Restarts}
}
