package supervisor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
)

// run is go-plugin's view of one process. It stands between the two because
// go-plugin's own runner hands the host's standard input on, waits without
// bound for pipes that a descendant may hold, and reads both streams without
// bounds; here go-plugin sees the first line of standard output and no more.
type run struct {
	launcher *launcher
	exe      *executable
	dir      string // for its sockets, its temporary files, and to work in
	out      *output
	raw      Raw // nil: nobody wants it

	mutualTLS bool

	env    []string
	stdout *io.PipeReader // gives the first line, then ends
	first  *io.PipeWriter

	read      chan struct{} // closed when standard error has been read
	connected chan struct{} // closed when go-plugin's attempt to connect is over

	mu       sync.Mutex // guards the rest
	proc     *process
	failure  error // why there is no process
	killed   bool
	greeting string // the first line of standard output, or what there is of it
	refusal  error  // what is wrong with it
}

func newRun(l *launcher, exe *executable, dir string, mutualTLS bool, out *output) *run {
	r := &run{launcher: l, exe: exe, dir: dir, mutualTLS: mutualTLS, out: out, read: make(chan struct{}), connected: make(chan struct{})}
	r.stdout, r.first = io.Pipe()
	return r
}

var _ runner.Runner = (*run)(nil)

// minimalPath lets a script find its interpreter.
const minimalPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// adopt is a RunnerFunc: it takes from go-plugin only the variables of the
// handshake. The directory that go-plugin made has too long a name.
func (r *run) adopt(_ hclog.Logger, spec *exec.Cmd, unwanted string) (runner.Runner, error) {
	os.Remove(unwanted)
	r.env = slices.DeleteFunc(slices.Clone(spec.Env), func(v string) bool {
		return strings.HasPrefix(v, goplugin.EnvUnixSocketDir+"=")
	})
	r.env = append(r.env, goplugin.EnvUnixSocketDir+"="+r.dir, "TMPDIR="+r.dir, minimalPath)
	return r, nil
}

// Start runs the executable, once, if it is still what was compared with the
// pin. By now go-plugin has made its key.
func (r *run) Start(context.Context) error {
	changed := r.exe.unchanged()
	r.mu.Lock()
	defer r.mu.Unlock()
	if changed != nil {
		r.failure = changed
		return changed
	}
	if r.killed || r.proc != nil {
		return errors.New("killed before it was started")
	}
	proc, err := startProcess(r.launcher, r.exe.copy, r.dir, r.env)
	if err != nil {
		r.failure = err
		return err
	}
	r.proc = proc
	go r.readStdout(proc)
	go r.readStderr(proc)
	return nil
}

// maxGreeting holds the longest handshake line, a certificate included.
const maxGreeting = 16 << 10

func (r *run) readStdout(p *process) {
	defer p.stdout.Close()
	in := bufio.NewReaderSize(p.stdout, maxGreeting)
	line, _ := in.ReadSlice('\n')
	r.mu.Lock()
	r.greeting = string(line)
	r.mu.Unlock()
	r.first.Write(line)
	r.first.Close()
	r.raw.take("stdout", line)
	stdout := r.out.stream("stdout")
	io.Copy(stdout, r.raw.tee("stdout", in))
	stdout.flush()
}

func (r *run) readStderr(p *process) {
	defer close(r.read)
	defer p.stderr.Close()
	stderr := r.out.stream("")
	io.Copy(stderr, r.raw.tee("stderr", p.stderr))
	stderr.flush()
}

// Stdout ends after the first line.
func (r *run) Stdout() io.ReadCloser { return r.stdout }

// Stderr is empty: the lines go to the log another way.
func (r *run) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Wait returns when the process is reaped, and not before go-plugin's attempt
// to connect is over: if it saw the exit in the middle of one, it would leave a
// connection behind that tries again for ever.
func (r *run) Wait(context.Context) error {
	<-r.process().exited
	<-r.connected
	return nil
}

// Kill ends the process now, or keeps it from being started.
func (r *run) Kill(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	if r.proc != nil {
		r.proc.kill()
	}
	return nil
}

// Diagnose adds nothing; explain does.
func (r *run) Diagnose(context.Context) string { return "" }

// Name is the copy's path.
func (r *run) Name() string { return r.exe.copy }

// ID is the pid.
func (r *run) ID() string {
	if p := r.process(); p != nil {
		return strconv.Itoa(p.pid())
	}
	return ""
}

func (r *run) process() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

// PluginToHost accepts a socket in the directory that only this user enters,
// and under AutoMTLS only a greeting with a certificate: without one no
// connection could ever be trusted.
func (r *run) PluginToHost(network, address string) (string, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	inside, err := filepath.Rel(r.dir, address)
	switch parts := strings.Split(strings.TrimSpace(r.greeting), "|"); {
	case network != "unix" || err != nil || !filepath.IsLocal(inside):
		r.refusal = fmt.Errorf("it listens at %s, not on a unix socket in the directory that %s names",
			scrub(network+" "+address, maxValue), goplugin.EnvUnixSocketDir)
	case r.mutualTLS && (len(parts) < 6 || parts[5] == ""):
		r.refusal = errors.New("it gave no certificate for AutoMTLS; if it cannot, set auto_mtls to false for it")
	}
	return network, address, r.refusal
}

// HostToPlugin changes nothing.
func (r *run) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
