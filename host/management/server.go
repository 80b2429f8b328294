package management

import (
	"context"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Options are what a Server serves from.
type Options struct {
	Gate   *gate.Gate
	Table  *session.Table
	Plugin PluginControl
	Owner  int // uid of the home's owner, who is the operator
	Logger hclog.Logger

	CommandEnded CommandEnded // nil: nobody hears
}

// Server serves the Management and Operator services, and the standard health
// service, which tells of the lease.
type Server struct {
	grpc     *grpc.Server
	health   *health.Server
	table    *session.Table
	stopping context.Context // ends when Stop is called
	stop     context.CancelFunc
}

// Bounds on what one socket takes.
const (
	maxStreams  = 16        // calls at once on one connection; each that waits holds some 30 KiB
	maxRequest  = 512 << 10 // bytes; an account with all grants that it may hold has 300 KiB
	maxHeaders  = 16 << 10  // bytes
	helloWithin = 10 * time.Second
	reportEvery = 500 * time.Millisecond
)

// NewServer returns a server that is not yet serving.
func NewServer(o Options) *Server {
	s := &Server{health: health.NewServer(), table: o.Table}
	s.stopping, s.stop = context.WithCancel(context.Background())
	options := append(wire.ServerOptions(o.Logger),
		grpc.Creds(peerCredentials{places: &places{taken: map[int]int{}}, owner: o.Owner}),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.ChainUnaryInterceptor(o.CommandEnded.unary),
		grpc.ChainStreamInterceptor(s.endWatches, o.CommandEnded.stream),
		grpc.ConnectionTimeout(helloWithin),
		grpc.WaitForHandlers(true), // after Stop no change is under way
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
	)
	s.grpc = grpc.NewServer(options...)
	s.tell(healthv1.HealthCheckResponse_NOT_SERVING)
	managementv1.RegisterManagementServer(s.grpc, &service{gate: o.Gate})
	managementv1.RegisterOperatorServer(s.grpc, &operator{owner: o.Owner, plugin: o.Plugin, gate: o.Gate})
	healthv1.RegisterHealthServer(s.grpc, s.health)
	return s
}

// Serve serves until Stop.
func (s *Server) Serve(l net.Listener) error {
	return s.grpc.Serve(l)
}

// Report keeps the health service's answer to what the lease allows, until ctx
// ends.
func (s *Server) Report(ctx context.Context) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		status := healthv1.HealthCheckResponse_NOT_SERVING
		if s.table.Leased() {
			status = healthv1.HealthCheckResponse_SERVING
		}
		s.tell(status)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) tell(status healthv1.HealthCheckResponse_ServingStatus) {
	for _, name := range []string{"", managementv1.Management_ServiceDesc.ServiceName} {
		s.health.SetServingStatus(name, status)
	}
}

// endWatches ends the streams of those who watch the host's health when it
// stops: they would outlast it.
func (s *Server) endWatches(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if info.FullMethod != healthv1.Health_Watch_FullMethodName {
		return next(srv, stream)
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	return next(srv, watch{stream, ctx})
}

type watch struct {
	grpc.ServerStream
	ctx context.Context
}

func (w watch) Context() context.Context { return w.ctx }

// Stop says that the host no longer serves, lets calls under way finish for a
// while, then ends them, and returns when none is left.
func (s *Server) Stop(within time.Duration) {
	s.health.Shutdown()
	s.stop()
	cut := time.AfterFunc(within, s.grpc.Stop)
	defer cut.Stop()
	s.grpc.GracefulStop()
}
