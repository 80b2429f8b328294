package management_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/throttle"
)

// fixture is a server on a real socket, over a double of the plugin.
type fixture struct {
	*management.Server
	path  string // of the socket
	table *session.Table
	log   *audit.Log
	done  chan struct{} // closed when Serve has returned
}

// run serves on a socket that a group may use, or only this user if gid is
// negative. The lease is over until the table's first heartbeat.
func run(t *testing.T, plugin gate.Users, control management.PluginControl, gid int) *fixture {
	t.Helper()
	f := &fixture{path: socketPath(t), done: make(chan struct{})}
	log, err := audit.Open(filepath.Join(filepath.Dir(f.path), "audit"), audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	f.log = log
	f.table = session.New(session.Options{Host: "h", Lease: time.Hour})
	f.Server = management.NewServer(management.Options{
		Gate: &gate.Gate{
			Users: plugin, Table: f.table, Throttle: throttle.New(throttle.Options{}), Audit: log,
			Logger: hclog.NewNullLogger(), LeaseWait: time.Second, CallTimeout: time.Minute, Stopping: t.Context(),
		},
		Table: f.table, Owner: os.Geteuid(), Plugin: control, Logger: hclog.NewNullLogger(),
	})
	listener, err := management.Listen(f.path, gid)
	if err != nil {
		t.Fatal(err)
	}
	go func() { defer close(f.done); f.Serve(listener) }()
	t.Cleanup(func() { f.Stop(0); <-f.done })
	return f
}

// leased is run with a lease that outlasts the test.
func leased(t *testing.T, plugin gate.Users) *fixture {
	t.Helper()
	f := run(t, plugin, nil, -1)
	f.table.Heartbeat("store", 0, time.Now())
	return f
}

// client is logged in.
func (f *fixture) client(t *testing.T) *management.Client {
	t.Helper()
	c, err := management.Dial(t.Context(), f.path, management.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Login(t.Context(), "root", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	return c
}

// raw connects for messages that our own client would not send.
func (f *fixture) raw(t *testing.T) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient("unix:"+f.path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// await waits until it is so, generously: it is never a measurement.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}

func wantCode(t *testing.T, what string, err error, code codes.Code) {
	t.Helper()
	if status.Code(err) != code {
		t.Errorf("%s: got %v, want %v", what, err, code)
	}
}

// stopped waits for Stop, which must not take as long as it may.
func (f *fixture) stopped(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f.Stop(time.Hour) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the server does not stop")
	}
}

func TestStop(t *testing.T) {
	t.Run("LetsCallsFinish", func(t *testing.T) {
		begun, finish := make(chan struct{}), make(chan struct{})
		f := leased(t, page{show: func(context.Context) { close(begun); <-finish }})
		c := f.client(t)
		answer := make(chan error, 1)
		go func() { _, err := c.Show(t.Context(), "root"); answer <- err }()
		<-begun
		stopped := make(chan struct{})
		go func() { defer close(stopped); f.Stop(time.Hour) }()
		await(t, "new connections are refused", func() bool {
			c, err := management.Dial(t.Context(), f.path, management.DialOptions{})
			if err == nil {
				c.Close()
			}
			return err != nil
		})
		select {
		case <-stopped:
			t.Error("stopped with a call under way")
		default:
		}
		close(finish)
		if err := <-answer; err != nil {
			t.Errorf("the call under way: %v", err)
		}
		<-stopped
		if n := f.table.Len(); n != 0 {
			t.Errorf("%d sessions outlived their connections", n)
		}
	})
	t.Run("EndsCallsInTime", func(t *testing.T) {
		begun, ended := make(chan struct{}), make(chan struct{})
		f := leased(t, page{show: func(ctx context.Context) {
			close(begun)
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond) // what it still has to write down
			close(ended)
		}})
		c := f.client(t)
		go c.Show(t.Context(), "root")
		<-begun
		f.Stop(10 * time.Millisecond)
		select {
		case <-ended:
		default:
			t.Error("stopped with a call under way")
		}
	})
}
