package supervisor

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"os/exec"

	"github.com/cinchapi/concourse-users/shared/wire"
)

// kept is a sink for log lines that checks each of them.
type kept struct {
	hclog.SinkAdapter
	mu    sync.Mutex // guards the rest
	lines int
	wrong []string
}

// Accept is given what a log's encoder would be.
func (k *kept) Accept(_ string, _ hclog.Level, message string, pairs ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines++
	if !told(message, maxText) || len(pairs) > 2*maxPairs+4 || len(pairs)%2 != 0 {
		k.wrong = append(k.wrong, message)
	}
	for _, p := range pairs {
		if s, ok := p.(string); ok && !told(s, maxValue) {
			k.wrong = append(k.wrong, s)
		}
	}
}

// told reports whether a text prints, on one line, in about that many bytes.
func told(s string, most int) bool {
	return len(s) <= most+16 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzOutput has a plugin write whatever there is, in two pieces, to its standard
// error: no more lines reach the host's log than it wrote, each is short, prints,
// and stays a line.
func FuzzOutput(f *testing.F) {
	for _, seed := range []string{
		"", "\n\n", "hello\nworld", "[ERROR] broken\n", "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n", "fatal error: x\r\n", "\x1b[2J\u202e\u009b\xff\n",
		`{"@level":"warn","@message":"red \u001b[31m\nforged","k":"\u202e","n":{"deep":[1]},"@timestamp":"x"}` + "\n",
		`{"@message":1}` + "\n", `{"@message":null}`, `{"@level":{},"@message":"x"}` + "\n", `{"@message":"` + strings.Repeat("x", 5000) + `"}` + "\n",
		strings.Repeat("y", maxRawLine+9) + "\nz\n", `{"@message":"m",` + strings.Repeat(`"a":1,"b":2,"c":3,`, 9) + `"d":4}` + "\n", "{\n[\n\"\n",
	} {
		f.Add([]byte(seed), []byte("…\n"), "stdout")
		f.Add([]byte("{\"@mess"), []byte(seed), "")
	}
	f.Fuzz(func(t *testing.T, first, second []byte, name string) {
		k := &kept{}
		log := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Trace})
		log.RegisterSink(k)
		o := newOutput(log)
		s := o.stream("")
		if name != "" {
			s = o.stream("stdout")
		}
		for _, part := range [][]byte{first, second} {
			if n, err := s.Write(part); n != len(part) || err != nil {
				t.Fatalf("wrote %d of %d: %v", n, len(part), err)
			}
			if len(s.held) > maxRawLine {
				t.Errorf("%d bytes of a line are held", len(s.held))
			}
		}
		s.flush()
		o.close()
		k.mu.Lock()
		defer k.mu.Unlock()
		written := bytes.Count(first, []byte{'\n'}) + bytes.Count(second, []byte{'\n'}) + 1
		if k.lines > written+1 || k.lines > perSecond+2 { // one tells of those that were dropped; a second may begin meanwhile
			t.Errorf("%d lines became %d", written, k.lines)
		}
		if len(k.wrong) > 0 {
			t.Errorf("the log got %.300q", k.wrong)
		}
		if last := o.lastLines(); !told(last, maxValue) || len(o.tail) > maxTail {
			t.Errorf("the last lines are %q", last)
		}
	})
}

// greeter is a process that writes one line and lives on until it is let go.
type greeter struct {
	*run
	line []byte
	over chan struct{}
}

func (g *greeter) Start(context.Context) error {
	go func() {
		g.first.Write(g.line)
		g.first.Close()
	}()
	return nil
}

func (g *greeter) Wait(context.Context) error { <-g.over; return nil }
func (*greeter) Kill(context.Context) error   { return nil }
func (*greeter) ID() string                   { return "1" }

// FuzzGreeting has a plugin greet with whatever there is: the host takes it for
// one only at a socket in the directory that it was given, under AutoMTLS only
// with a certificate, and otherwise says in one line what is wrong.
func FuzzGreeting(f *testing.F) {
	const dir = "/run/s1"
	for _, seed := range []string{
		"", "hello", "1|1|unix|/run/s1/x|grpc|", "1|1|unix|/run/s1/x|grpc|bm8=", "1|1|unix|/run/s1/../s2/x|grpc", "1|1|unix|/tmp/x|grpc", "1|1|tcp|127.0.0.1:1|grpc",
		"1|2|unix|/run/s1/x|grpc", "2|1|unix|/run/s1/x|grpc", "1|1|unix|/run/s1/x|netrpc", "1|1|unix|/run/s1/x", "1|\x1b[2J|unix|/run/s1/x|grpc", "1|1|unix|/run/s1/\u202ex|grpc|x|true",
		"1|1|unix||grpc", "+1|01|unix|/run/s1|grpc", "1|1|unix|/run/s1/x|grpc|" + strings.Repeat("A", 900) + "|true",
	} {
		f.Add([]byte(seed), false, true)
		f.Add([]byte(seed+"\n"), true, false)
	}
	ended := make(chan struct{})
	close(ended)
	f.Fuzz(func(t *testing.T, line []byte, mutualTLS, killed bool) {
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		r := newRun(nil, &executable{}, dir, false, newOutput(hclog.NewNullLogger()))
		r.mutualTLS, r.killed, r.greeting = mutualTLS, killed, string(line)
		r.proc = &process{exited: ended, end: "exit status 1"}
		close(r.read)
		g := &greeter{run: r, line: line, over: make(chan struct{})}
		defer close(g.over)
		c := goplugin.NewClient(&goplugin.ClientConfig{
			HandshakeConfig: wire.Handshake, VersionedPlugins: wire.ClientPlugins(), AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
			RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, unwanted string) (runner.Runner, error) {
				_, err := r.adopt(nil, spec, unwanted)
				return g, err
			},
			SkipHostEnv: true, StartTimeout: time.Minute, UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: t.TempDir()}, Logger: hclog.NewNullLogger(),
		})
		address, err := c.Start()
		if err == nil {
			inside, outside := filepath.Rel(dir, address.String())
			if address.Network() != "unix" || outside != nil || !filepath.IsLocal(inside) {
				t.Errorf("%q leads to %s %s", line, address.Network(), address)
			}
			if parts := strings.Split(strings.TrimSpace(string(line)), "|"); mutualTLS && (len(parts) < 6 || parts[5] == "") {
				t.Errorf("%q is taken without a certificate", line)
			}
			return
		}
		why := r.explain(t.Context(), &executable{path: "/plugins/backend"}, Options{StartTimeout: time.Second}, err)
		if !told(why.Message, 2*maxValue) || !strings.HasPrefix(why.Message, "cannot start plugin backend: ") {
			t.Errorf("%q is refused with %q", line, why.Message)
		}
	})
}
