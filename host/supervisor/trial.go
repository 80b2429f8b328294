package supervisor

import (
	"context"
	"io"
	"time"

	"google.golang.org/grpc"
)

// Trials starts single processes of one executable as a Supervisor does, and
// leaves them alone: nothing is configured, restarted or asked for its health.
// It is for verifying backends.
type Trials struct{ s *Supervisor }

// NewTrials takes what says which executable to run, and where; the rest of o
// is of no account. Close it. Refuses as Start does.
func NewTrials(o Options) (*Trials, error) {
	o = o.withDefaults()
	dir, err := openRunDir(o.RunDir)
	if err != nil {
		return nil, err
	}
	exe, err := obtain(o, dir)
	if err != nil {
		return nil, err
	}
	return &Trials{&Supervisor{dir: dir, launcher: newLauncher(), options: o, exe: exe}}, nil
}

// Path returns where the executable was found.
func (t *Trials) Path() string { return t.s.exe.path }

// Copy returns where the copy is that is run.
func (t *Trials) Copy() string { return t.s.exe.copy }

// Sum returns the executable's SHA-256 sum, in hexadecimal digits.
func (t *Trials) Sum() string { return t.s.exe.sum }

// Close removes what Trials made. Every Trial has ended.
func (t *Trials) Close() error {
	t.s.launcher.stop()
	return t.s.dir.clean()
}

// Raw takes what a process writes, as it is: the stream is "stdout", the line
// of the handshake included, "stderr", or "stdio stdout" and "stdio stderr",
// which go-plugin's stdio service carries: a plugin in Go prints there once it
// serves. Calls for different streams may come at the same time, and those of
// the service when the process has ended.
type Raw func(stream string, p []byte)

func (r Raw) take(stream string, p []byte) {
	if r != nil {
		r(stream, p)
	}
}

func (r Raw) tee(stream string, from io.Reader) io.Reader {
	if r == nil {
		return from
	}
	return io.TeeReader(from, rawWriter{r, stream})
}

func (r Raw) also(stream string, to io.Writer) io.Writer {
	if r == nil {
		return to
	}
	return io.MultiWriter(to, rawWriter{r, stream})
}

type rawWriter struct {
	raw    Raw
	stream string
}

func (w rawWriter) Write(p []byte) (int, error) {
	w.raw(w.stream, p)
	return len(p), nil
}

// Trial is one process that has greeted and answered a health check.
type Trial struct{ in *instance }

// Launch starts a process, with AutoMTLS or without. End it by Shutdown or
// Kill. Refuses: Unavailable.
func (t *Trials) Launch(ctx context.Context, autoMTLS bool, raw Raw) (*Trial, error) {
	o := t.s.options
	o.AutoMTLS, o.raw = autoMTLS, raw
	in, err := t.s.launch(ctx, o, t.s.exe)
	if err != nil {
		return nil, err
	}
	return &Trial{in}, nil
}

// Conn returns the connection to the process.
func (t *Trial) Conn() grpc.ClientConnInterface { return t.in.users.Conn() }

// PID returns the process's id.
func (t *Trial) PID() int { return t.in.proc.pid() }

// Exited is closed when the process has ended.
func (t *Trial) Exited() <-chan struct{} { return t.in.proc.exited }

// Shutdown asks the process to end, kills it if it has not after the bound, and
// returns how it ended, such as "exit status 0" or "signal: killed".
func (t *Trial) Shutdown(bound time.Duration) string {
	t.in.retire(bound)
	t.in.run.awaitStderr()
	return t.in.proc.end
}

// Kill ends the process with SIGKILL and returns when nothing is left of it.
func (t *Trial) Kill() {
	t.in.destroy(context.Canceled)
	t.in.run.awaitStderr()
}
