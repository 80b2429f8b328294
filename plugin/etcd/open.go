package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/cinchapi/concourse-users/shared/account"
)

// How connections are kept: a member that has a request or a watch of ours and
// says nothing is asked whether it is there, not oftener than etcd allows.
const (
	keepAliveTime    = 10 * time.Second
	keepAliveTimeout = 3 * time.Second
	mostRedialPause  = time.Second
)

// Open connects to the cluster and reads from it. It refuses options that cannot
// be right, and a user that etcd refuses, with Invalid, and with Unavailable a
// cluster that does not answer in time, or is too old.
func Open(ctx context.Context, o Options) (*Store, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	config, err := o.certificates()
	if err != nil {
		return nil, err
	}
	within := o.DialTimeout
	if end, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(end)*3/4) // the caller still wants to hear why
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s := newStore(o)
	err = s.askFor(ctx, within, func(context.Context) error {
		s.client, err = clientv3.New(clientv3.Config{
			Endpoints: o.Endpoints, TLS: config, Username: o.Username, Password: string(o.Password),
			DialTimeout:       o.RequestTimeout, // of the call that fetches a token
			DialKeepAliveTime: keepAliveTime, DialKeepAliveTimeout: keepAliveTimeout,
			MaxUnaryRetries: 1, // ask repeats what may be repeated
			Logger:          zap.NewNop(),
			DialOptions: []grpc.DialOption{
				grpc.WithContextDialer(s.connections.dial),
				grpc.WithConnectParams(grpc.ConnectParams{
					Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: min(mostRedialPause, o.RequestTimeout)},
					MinConnectTimeout: o.DialTimeout,
				}),
				grpc.WithChainUnaryInterceptor(failFast),
			},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.greet(ctx, within); err != nil {
		return nil, errors.Join(err, s.client.Close())
	}
	s.opening = false
	if !o.secure() && slices.ContainsFunc(o.Endpoints, distant) {
		o.Logger.Warn("hashes of passwords, and etcd's own password if there is one, travel to etcd unencrypted; use https endpoints", "endpoints", o.Endpoints)
	}
	return s, nil
}

// failFast has requests fail, with the reason, while no member can be reached,
// instead of waiting without one.
func failFast(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return invoke(ctx, method, req, reply, cc, append(opts, grpc.WaitForReady(false))...)
}

// greet makes sure that the cluster can be read, by us, and is not too old.
func (s *Store) greet(ctx context.Context, within time.Duration) error {
	members := etcdserverpb.NewMaintenanceClient(s.client.ActiveConnection())
	return s.askFor(ctx, within, func(attempt context.Context) error {
		if _, _, err := s.probe(attempt); err != nil {
			return err
		}
		status, err := members.Status(attempt, &etcdserverpb.StatusRequest{})
		if err == nil && older(status.Version, oldest) {
			return account.Unavailable("etcd at %s has version %s; the oldest that can be used is %s, since older ones say too early how far a watch is", s.where(), status.Version, oldest)
		}
		return err
	})
}

// oldest is the version that keeps what it says of a watch's progress behind the
// watch's events, in every case.
const oldest = "3.5.13"

// older compares the numbers of two versions; what is not a number counts as 0.
func older(version, than string) bool {
	numbers := func(v string) (n [3]int) {
		fmt.Sscanf(v, "%d.%d.%d", &n[0], &n[1], &n[2])
		return n
	}
	v, t := numbers(version), numbers(than)
	return slices.Compare(v[:], t[:]) < 0
}
