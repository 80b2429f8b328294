package host_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/follow"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

// parts are a host's, wired as Run wires them but within reach of a test: for
// what no socket shows yet, such as the token of a client's login. The plugin
// is the real one, in its own process.
type parts struct {
	home   string
	plugin *supervisor.Supervisor
	table  *session.Table
	stream stream // feeds the table
	gate   *gate.Gate
	log    *output // at trace level
}

// stream lets a test hold up what the change stream says of accounts.
type stream struct {
	*session.Table
	held sync.RWMutex
}

// Apply waits for the end of during.
func (s *stream) Apply(n account.Snapshot) (ended int) {
	s.held.RLock()
	defer s.held.RUnlock()
	return s.Table.Apply(n)
}

// during runs f with the stream held up.
func (s *stream) during(f func()) {
	s.held.Lock()
	defer s.held.Unlock()
	f()
}

func assemble(t *testing.T) *parts {
	t.Helper()
	// Short, since sockets live in it.
	home, err := os.MkdirTemp("", "h")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	p := &parts{home: home, log: &output{}}
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: p.log})
	p.plugin, err = supervisor.Start(t.Context(), supervisor.Options{
		Path: "bolt", Directory: filepath.Join(hosttest.Bin(t), "plugins"), AutoMTLS: true,
		RunDir: filepath.Join(home, "run"), Configuration: account.Configuration{Home: home}, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.plugin.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	first := account.FirstAdministrator{
		Username: hosttest.Administrator, Password: account.Secret(hosttest.Password),
		RequestID: account.NewRequestID(time.Now()), Host: "host",
	}
	if _, err := p.plugin.Initialize(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(filepath.Join(home, "audit", "audit.jsonl"), audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	p.table = session.New(session.Options{Host: "host"})
	p.stream.Table = p.table
	p.gate = &gate.Gate{
		Users: p.plugin, Table: p.table, Throttle: throttle.New(throttle.Options{}), Audit: log, Logger: logger,
		Host: "host", DefaultEnvironment: "default", CallTimeout: 30 * time.Second, LeaseWait: 30 * time.Second, Stopping: t.Context(),
	}
	following, cancel := context.WithCancel(t.Context())
	var background sync.WaitGroup
	background.Go(func() {
		(&follow.Follower{Plugin: p.plugin, Knowledge: &p.stream, Lease: session.DefaultLease, Logger: logger}).Run(following)
	})
	t.Cleanup(func() { cancel(); background.Wait() })
	return p
}

// login logs in through a listener.
func (p *parts) login(t *testing.T, l account.Listener, username, password string) gate.Login {
	t.Helper()
	in, err := p.gate.Login(t.Context(), origin(l), username, account.Secret(password))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// admin is the first administrator in a call.
func (p *parts) admin(t *testing.T) gate.Caller {
	t.Helper()
	in := p.login(t, account.ManagementListener, hosttest.Administrator, hosttest.Password)
	c, err := p.gate.Admit(t.Context(), in.Token, origin(account.ManagementListener), "Test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Done)
	return c
}

func origin(l account.Listener) gate.Origin {
	return gate.Origin{Listener: l, RemoteAddress: "192.0.2.7:4711", Client: "test"}
}

// output collects what is logged.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
