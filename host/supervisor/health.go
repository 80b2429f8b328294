package supervisor

import (
	"context"
	"fmt"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// check asks the plugin's standard health service once.
func (in *instance) check(ctx context.Context) error {
	answer, err := grpc_health_v1.NewHealthClient(in.users.Conn()).Check(ctx,
		&grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if err == nil && answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("its health service answers %s", answer.GetStatus())
	}
	return err
}

// connected reports whether the connection stands.
func (in *instance) connected() bool {
	return in.users.Conn().(*grpc.ClientConn).GetState() == connectivity.Ready
}

// watchHealth condemns the instance after so many misses in a row, and when its
// health service answers and none of its calls does.
func (in *instance) watchHealth(p Pace) {
	misses := 0
	for {
		next := time.After(p.HealthInterval)
		ctx, cancel := context.WithTimeout(in.over, p.HealthTimeout)
		err := in.check(ctx)
		cancel()
		if err == nil {
			misses = 0
		} else if misses++; misses >= p.HealthMisses && in.over.Err() == nil {
			in.condemn(fmt.Errorf("it did not answer %d health checks and was killed", misses))
		}
		if in.silence.lasted() >= p.Silence && in.over.Err() == nil {
			in.condemn(fmt.Errorf("it did not answer a single call for %s and was killed", p.Silence))
		}
		select {
		case <-next:
		case <-in.over.Done():
			return
		}
	}
}
