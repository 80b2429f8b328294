package main_test

import (
	"cmp"
	"context"
	"net"
	"os"
	"path"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// requestID is the only one that the double gives out.
const requestID = "0192f0c1-2b3c-7d4e-8f50-112233445566"

var moment = time.Date(2026, 11, 23, 10, 48, 31, 0, time.UTC)

// fakeHost is a double at the process boundary, for what a real host cannot be
// brought to within a test: every kind of error, long listings, rows as no
// listener makes them yet, a connection that breaks at a given moment. It lets
// everybody in.
type fakeHost struct {
	managementv1.UnimplementedManagementServer
	home     string
	listener *hangingUp
	instead  managementv1.ManagementServer // answers all calls; nil: the double itself

	refusal  error           // of every change
	applied  chan error      // what every account that is applied, and new, waits for; nil: it is as any change
	hook     func(*fakeHost) // run before the answer to a change
	accounts func(send func(*managementv1.ListResponse) error) error
	sessions func(send func(*managementv1.SessionsResponse) error) error
	backup   func(ctx context.Context, send func(data []byte) error) error
}

// serve gives the double a home and starts it.
func serve(t *testing.T, f *fakeHost) *fakeHost {
	t.Helper()
	home, err := os.MkdirTemp("", "home") // short enough for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	listener, err := net.Listen("unix", filepath.Join(home, "management.sock"))
	if err != nil {
		t.Fatal(err)
	}
	f.home, f.listener = home, &hangingUp{Listener: listener}
	server := grpc.NewServer(grpc.UnaryInterceptor(f.intercept))
	managementv1.RegisterManagementServer(server, cmp.Or[managementv1.ManagementServer](f.instead, f))
	managementv1.RegisterOperatorServer(server, fakeOperator{host: f})
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(f.listener) }()
	t.Cleanup(func() { server.Stop(); <-done })
	return f
}

// as returns an invocation by an administrator who is not asked for anything.
func (f *fakeHost) as(args ...string) invocation {
	return invocation{args: args, env: []string{"CONCOURSE_HOME=" + f.home, "CONCOURSE_PASSWORD=secret"}}
}

// intercept answers changes: they fail.
func (f *fakeHost) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if f.instead != nil {
		return next(ctx, req)
	}
	switch path.Base(info.FullMethod) {
	case "Login", "Request":
		return next(ctx, req)
	case "Plan", "Apply":
		if f.applied != nil {
			return next(ctx, req)
		}
	}
	if f.hook != nil {
		f.hook(f)
	}
	return nil, wire.ToStatus(f.refusal)
}

func (f *fakeHost) Login(_ context.Context, r *managementv1.LoginRequest) (*managementv1.LoginResponse, error) {
	return &managementv1.LoginResponse{Token: []byte("token"), Username: r.Username}, nil
}

func (f *fakeHost) Request(context.Context, *managementv1.RequestRequest) (*managementv1.RequestResponse, error) {
	return &managementv1.RequestResponse{RequestId: requestID}, nil
}

func (f *fakeHost) Plan(_ context.Context, r *managementv1.ApplyRequest) (*managementv1.Applied, error) {
	made := account.Account{ID: "1", Username: r.Username, Role: account.User, Enabled: true, CreatedAt: moment}
	return &managementv1.Applied{PasswordSet: true, Change: &managementv1.Change{
		Changed: true, Account: &managementv1.ListedAccount{Account: wire.AccountToProto(made)},
	}}, nil
}

func (f *fakeHost) Apply(ctx context.Context, r *managementv1.ApplyRequest) (*managementv1.Applied, error) {
	select {
	case err := <-f.applied:
		if err != nil {
			return nil, wire.ToStatus(err)
		}
		return f.Plan(ctx, r)
	case <-ctx.Done():
		return nil, wire.ToStatus(ctx.Err())
	}
}

func (f *fakeHost) List(_ *managementv1.ListRequest, stream managementv1.Management_ListServer) error {
	return wire.ToStatus(f.accounts(stream.Send))
}

func (f *fakeHost) Sessions(_ *managementv1.SessionsRequest, stream managementv1.Management_SessionsServer) error {
	return wire.ToStatus(f.sessions(stream.Send))
}

type fakeOperator struct {
	managementv1.UnimplementedOperatorServer
	host *fakeHost
}

func (o fakeOperator) Sessions(_ *managementv1.SessionsRequest, stream managementv1.Operator_SessionsServer) error {
	return wire.ToStatus(o.host.sessions(stream.Send))
}

// hangUp breaks every connection, as the death of a host would.
func (f *fakeHost) hangUp() {
	f.listener.mu.Lock()
	defer f.listener.mu.Unlock()
	for _, c := range f.listener.accepted {
		c.Close()
	}
}

type hangingUp struct {
	net.Listener
	mu       sync.Mutex
	accepted []net.Conn
}

func (h *hangingUp) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.accepted = append(h.accepted, c)
	}
	return c, err
}

// manyAccounts returns a listing of whole batches.
func manyAccounts(batches int) func(func(*managementv1.ListResponse) error) error {
	return func(send func(*managementv1.ListResponse) error) error {
		for b := range batches {
			p := &managementv1.ListResponse{}
			for i := range account.MaxBatch {
				p.Accounts = append(p.Accounts, &managementv1.ListedAccount{Account: wire.AccountToProto(account.Account{
					ID: "1", Username: numbered(b, i), Role: account.User, Enabled: i%2 == 0, CreatedAt: moment,
				})})
			}
			if err := send(p); err != nil {
				return err
			}
		}
		return nil
	}
}
