package conformance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/cinchapi/concourse-users/shared/wire"
)

// bare says how to start a process without the host's launcher, for what that
// would not do, or not let be seen.
type bare struct {
	by       string    // a shell script that runs "$0"; empty: nothing stands between
	byPerson bool      // without a host's variables
	versions string    // of the contract; empty: this one
	identity *identity // of a host that wants TLS; nil: one that does not
	stdin    *os.File  // nil: /dev/null
}

// bareProcess is a process that was started so. It is a Process once it has
// been dialled.
type bareProcess struct {
	cmd      *exec.Cmd
	dir      string // for its socket
	output   *output
	greeting chan string   // takes the first line of standard output
	exited   chan struct{} // closed when what was started is reaped
	gone     chan struct{} // closed when no process is left that came of it
	conn     *grpc.ClientConn
	end      sync.Once
}

var _ Process = (*bareProcess)(nil)

// minimalPath is the PATH that a host gives.
const minimalPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// start starts the subject's executable. What comes of it ends with the case.
func (t *T) start(b bare) *bareProcess {
	p := &bareProcess{
		dir: t.dir(), output: t.newOutput(),
		greeting: make(chan string, 1), exited: make(chan struct{}), gone: make(chan struct{}),
	}
	args := []string{t.run.subject.Executable}
	if b.by != "" {
		args = []string{"/bin/sh", "-c", b.by, t.run.subject.Executable}
	}
	env := []string{minimalPath, "TMPDIR=" + p.dir}
	if !b.byPerson {
		if b.versions == "" {
			b.versions = strconv.Itoa(wire.Protocol)
		}
		env = append(env, wire.Handshake.MagicCookieKey+"="+wire.Handshake.MagicCookieValue, "PLUGIN_PROTOCOL_VERSIONS="+b.versions,
			"PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", goplugin.EnvUnixSocketDir+"="+p.dir)
	}
	if b.identity != nil {
		env = append(env, "PLUGIN_CLIENT_CERT="+string(b.identity.pem))
	}
	// Whoever came of the process holds the third pipe open as long as it lives.
	var ours, theirs [3]*os.File
	for i := range ours {
		var err error
		ours[i], theirs[i], err = os.Pipe()
		t.OK(err, "make a pipe")
		defer theirs[i].Close()
		t.cleanup(func() { ours[i].Close() })
	}
	err := errors.New("not started")
	for tries := 0; tries < 50 && err != nil; tries++ { // another fork may still hold the file open for writing
		p.cmd = &exec.Cmd{
			Path: args[0], Args: args, Dir: p.dir, Env: env, Stdout: theirs[0], Stderr: theirs[1], ExtraFiles: theirs[2:],
			SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
		}
		if b.stdin != nil {
			p.cmd.Stdin = b.stdin
		}
		if err = p.cmd.Start(); errors.Is(err, syscall.ETXTBSY) {
			time.Sleep(10 * time.Millisecond)
		} else if err != nil {
			break
		}
	}
	t.OK(err, "start a process")
	t.cleanup(p.Kill)
	go func() { defer close(p.exited); p.cmd.Wait() }()
	go func() { defer close(p.gone); io.Copy(io.Discard, ours[2]) }()
	go p.read(ours[0])
	go io.Copy(p.output.writer("stderr"), ours[1])
	return p
}

func (p *bareProcess) read(stdout io.Reader) {
	in := bufio.NewReader(stdout)
	line, _ := in.ReadString('\n')
	to := p.output.writer("stdout")
	io.WriteString(to, line)
	p.greeting <- line
	io.Copy(to, in)
}

// writer writes to one of the streams.
func (o *output) writer(stream string) io.Writer { return outputWriter{o, stream} }

type outputWriter struct {
	to     *output
	stream string
}

func (w outputWriter) Write(p []byte) (int, error) {
	w.to.take(w.stream, p)
	return len(p), nil
}

// greets returns what the process says of itself in its first line.
func (t *T) greets(p *bareProcess) greeting {
	select {
	case line := <-p.greeting:
		if line == "" {
			t.Fatalf("it ended without a handshake; on standard error it wrote %.500q", p.output.text("stderr"))
		}
		g, err := parseGreeting(line)
		t.OK(err, "read the handshake %q", line)
		return g
	case <-time.After(startBound):
		t.Fatalf("no handshake came within %s; on standard error it wrote %.500q", startBound, p.output.text("stderr"))
	case <-t.ctx.Done():
		t.Fatalf("the case's time ran out while it waited for a handshake")
	}
	panic("unreachable")
}

// serve starts a process and connects to it, as a host would.
func (t *T) serve(b bare, s store) *Plugin {
	process := t.start(b)
	g := t.greets(process)
	process.conn = t.dial(g, b.identity.trust(t, g))
	p := &Plugin{t: t, store: s, output: process.output}
	p.connect(process)
	return p
}

// dial connects; the connection ends with the case.
func (t *T) dial(g greeting, c credentials.TransportCredentials) *grpc.ClientConn {
	conn, err := grpc.NewClient("unix:"+g.address, append(wire.DialOptions(), grpc.WithTransportCredentials(c))...)
	t.OK(err, "connect to %s", g.address)
	t.cleanup(func() { conn.Close() })
	return conn
}

// Conn returns the connection.
func (p *bareProcess) Conn() grpc.ClientConnInterface { return p.conn }

// PID is that of what was started, which may be a shell.
func (p *bareProcess) PID() int { return p.cmd.Process.Pid }

// Exited is closed when what was started has ended.
func (p *bareProcess) Exited() <-chan struct{} { return p.exited }

// Shutdown calls go-plugin's service as a host does.
func (p *bareProcess) Shutdown(bound time.Duration) string {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	p.conn.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{}) // which may break off
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.Kill()
	}
	return p.cmd.ProcessState.String()
}

// Kill ends all that came of the process.
func (p *bareProcess) Kill() {
	p.end.Do(func() {
		select {
		case <-p.gone: // and the group's number may be another's
		default:
			syscall.Kill(-p.PID(), syscall.SIGKILL)
			p.cmd.Process.Kill()
		}
		<-p.exited
		select {
		case <-p.gone:
		case <-time.After(endBound):
		}
	})
}

// greeting is the handshake's line.
type greeting struct {
	core, protocol, network, address, kind string
	certificate                            string // base64 without padding, of DER
}

// parseGreeting reads "CORE|PROTOCOL|NETWORK|ADDRESS|KIND", "|CERTIFICATE" and
// more.
func parseGreeting(line string) (greeting, error) {
	text, ended := strings.CutSuffix(line, "\n")
	parts := append(strings.Split(text, "|"), "")
	if !ended || len(parts) < 6 {
		return greeting{}, fmt.Errorf("it is not CORE|PROTOCOL|NETWORK|ADDRESS|grpc, |CERTIFICATE and a line's end")
	}
	return greeting{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]}, nil
}
