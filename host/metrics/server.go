package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Bounds on what one address takes: every process of the machine may reach it.
const (
	maxConnections = 64
	maxScrapes     = 4       // at once; further ones get 503
	maxHeader      = 8 << 10 // bytes
	headerWithin   = 5 * time.Second
	scrapeWithin   = 5 * time.Second
	answerWithin   = 10 * time.Second
	idleFor        = 2 * time.Minute // longer than between two scrapes
)

// Listen makes the socket. It refuses with Invalid an address that is not a
// loopback one, such as a localhost that the machine takes for something else.
func Listen(address string) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, cannotServe(address, err)
	}
	if !resolved.IP.IsLoopback() {
		return nil, account.Invalid("metrics.address", "%s is %s here, which is not a loopback address; metrics are served at no other", address, resolved)
	}
	l, err := net.ListenTCP("tcp", resolved)
	if err != nil {
		return nil, cannotServe(address, err)
	}
	return l, nil
}

// cannotServe leaves out the address that a network error repeats.
func cannotServe(address string, err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("cannot serve metrics at %s, see metrics.address: %w", address, err)
}

// Server answers scrapes: GET /metrics, and nothing else.
type Server struct {
	http *http.Server
	open atomic.Int32 // connections
}

// NewServer returns a server that is not yet serving.
func (m *Metrics) NewServer(logger hclog.Logger) *Server {
	s := &Server{}
	quiet := logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: quiet, MaxRequestsInFlight: maxScrapes, Timeout: scrapeWithin,
	}))
	s.http = &http.Server{
		Handler: mux, ConnState: s.bound, ErrorLog: quiet, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerWithin, ReadTimeout: headerWithin, WriteTimeout: answerWithin, IdleTimeout: idleFor,
	}
	return s
}

// bound closes connections beyond those that may be open.
func (s *Server) bound(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.open.Add(1) > maxConnections {
			c.Close()
		}
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	}
}

// Serve serves until Stop, and returns nil then.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Stop lets scrapes under way finish for a while, then ends them.
func (s *Server) Stop(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}
