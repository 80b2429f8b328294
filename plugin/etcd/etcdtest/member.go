package etcdtest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// member is one process of etcd, its directory, and the ways to it.
type member struct {
	cluster  *Cluster
	number   int
	endpoint string // of the proxy for its clients
	forward  string // of the proxy through which it reaches others
	clients  gate
	peers    []gate // of what it says to each other member

	process *exec.Cmd     // nil: it does not run
	exited  chan struct{} // closed when process was reaped
	output  output
}

func newMember(c *Cluster, number int) *member {
	c.t.Helper()
	m := &member{cluster: c, number: number, peers: make([]gate, c.options.Members)}
	if err := os.Mkdir(m.dir(), 0o700); err != nil {
		c.t.Fatal(err)
	}
	return m
}

// listen opens the ways to the member, which all others know by then.
func (m *member) listen() {
	t := m.cluster.t
	t.Helper()
	m.endpoint = "http" + m.cluster.secure() + "://" + listen(t, m.serveClient)
	m.forward = "http://" + listen(t, m.servePeer)
}

func (m *member) name() string         { return fmt.Sprintf("member%d", m.number) }
func (m *member) dir() string          { return filepath.Join(m.cluster.dir, m.name()) }
func (m *member) data() string         { return filepath.Join(m.dir(), "data") }
func (m *member) clientSocket() string { return filepath.Join(m.dir(), "clients") }
func (m *member) peerSocket() string   { return filepath.Join(m.dir(), "peers") }
func (m *member) clientURL() string    { return "unix" + m.cluster.secure() + "://" + m.clientSocket() }
func (m *member) peerURL() string      { return "https://" + fmt.Sprintf(peerHost, m.number) }

func (m *member) gates() []*gate {
	all := []*gate{&m.clients}
	for i := range m.peers {
		all = append(all, &m.peers[i])
	}
	return all
}

// start starts the process over what is in its directory. Elections are an
// order of magnitude faster than etcd's own default, and still an order slower
// than what a busy machine does to a heartbeat.
func (m *member) start() {
	t, o := m.cluster.t, m.cluster.options
	t.Helper()
	args := []string{
		"--name", m.name(), "--data-dir", m.data(), "--log-level", "error",
		"--listen-client-urls", m.clientURL(), "--advertise-client-urls", m.endpoint,
		// A peer's socket has no directory but the process's own.
		"--listen-peer-urls", "unix://" + filepath.Base(m.peerSocket()), "--initial-advertise-peer-urls", m.peerURL(),
		"--initial-cluster", m.cluster.initial(), "--initial-cluster-token", m.cluster.token(), "--peer-auto-tls",
		"--heartbeat-interval", "50", "--election-timeout", "500", "--enable-grpc-gateway=false",
	}
	if o.Unsynced {
		args = append(args, "--unsafe-no-fsync")
	}
	server, err := server()
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{m.clientSocket(), m.peerSocket()} {
		os.Remove(left)
	}
	m.process = exec.Command(server, append(args, o.Flags...)...)
	m.process.Args[0] = "tested" // whoever ends servers by name means another
	m.process.Dir = m.dir()
	m.process.Env = []string{"PATH=" + os.Getenv("PATH"), "HTTPS_PROXY=" + m.forward}
	m.process.Stdout, m.process.Stderr = &m.output, &m.output
	m.process.SysProcAttr = attributes()
	started, exited := make(chan error), make(chan struct{})
	go func(process *exec.Cmd) {
		// A child dies with the thread that started it, which ends with this
		// goroutine, once the child is reaped.
		runtime.LockOSThread()
		err := process.Start()
		started <- err
		if err == nil {
			process.Wait()
		}
		close(exited)
	}(m.process)
	if err := <-started; err != nil {
		m.process = nil
		t.Fatal(err)
	}
	m.exited = exited
}

// awaitReady waits until the member answers and knows a leader.
func (m *member) awaitReady() {
	t := m.cluster.t
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		// A client that finds no socket would wait for a second.
		if c, err := net.Dial("unix", m.clientSocket()); err == nil {
			c.Close()
			if leads, _ := m.leader(ctx); leads != 0 {
				return
			}
		}
		select {
		case <-m.exited:
			t.Fatalf("member %d ended before it was ready: %v", m.number, m.process.ProcessState)
		case <-ctx.Done():
			t.Fatalf("member %d was not ready after %v", m.number, patience)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (m *member) kill() {
	if m.process != nil {
		m.process.Process.Kill()
		<-m.exited
		m.process = nil
	}
}

// output keeps the end of what a member writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	const most = 32 << 10
	o.b.Write(p)
	o.b.Next(max(o.b.Len()-most, 0))
	return len(p), nil
}

func (o *output) end() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
