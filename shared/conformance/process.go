package conformance

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"github.com/cinchapi/concourse-users/shared/account"
)

var processCases = []Case{
	{
		Name:     "process/ends-when-asked",
		Contract: `go-plugin's shutdown call, plugin.GRPCController/Shutdown: the process ends by itself within 2 s, with status 0, and its store is free for the next one at once`,
		run: func(t *T) {
			p := t.Open()
			next := p.endsWell(func(*Plugin) {})
			next.configure()
		},
	},
	{
		Name:     "process/ends-when-asked-while-busy",
		Contract: `go-plugin's shutdown call ends the process within 2 s and with status 0 even while calls and a watch are under way`,
		run: func(t *T) {
			p := t.Open()
			next := p.endsWell(func(p *Plugin) {
				p.Watch()
				p.busy(4)
			})
			next.configure()
		},
	},
	{
		Name:     "process/outlives-signals",
		Contract: `a backend goes on serving after SIGTERM, SIGINT and SIGHUP, which a service manager or a terminal sends to host and plugin alike; only the host ends it`,
		run: func(t *T) {
			p := t.Open()
			for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
				if err := syscall.Kill(p.process.PID(), s); err != nil {
					t.Fatalf("send the signal %q: %v", s, err)
				}
				t.record.note("process %d was sent the signal %q", p.number, s)
				for began := time.Now(); time.Since(began) < 200*time.Millisecond; time.Sleep(10 * time.Millisecond) {
					_, err := p.Users.Show(t.ctx, p.Admin, p.Admin.Username)
					t.OK(err, "show an account after the signal %q", s)
				}
				if p.over() {
					t.Fatalf("the signal %q has ended it", s)
				}
			}
			p.endsWell(func(*Plugin) {})
		},
	},
	{
		Name:     "process/dies-with-its-host",
		Contract: `design rule 10: a process whose host was killed, which it can tell by its parent, ends within 2 s, calls under way or not, and its store is free then`,
		run: func(t *T) {
			s := t.newStore()
			p := t.serve(bare{by: `"$0" & wait`, identity: t.identity()}, s)
			p.configure()
			p.begin()
			host := p.process.(*bareProcess)
			if err := syscall.Kill(host.PID(), syscall.SIGKILL); err != nil {
				t.Fatalf("kill the shell that started it: %v", err)
			}
			t.record.note("the shell that had started process %d, as its host, was killed", p.number)
			select {
			case <-host.gone:
			case <-time.After(2*endBound + time.Second): // a slow machine's
				t.Fatalf("%s after its host was killed it is still there", 2*endBound+time.Second)
			}
			t.launch(Launch{}, s).configure()
		},
	},
	{
		Name:     "process/reads-no-standard-input",
		Contract: `a backend never reads standard input, which may be its host's`,
		run: func(t *T) {
			const text = "yes\n"
			stdin, keyboard, err := os.Pipe()
			t.OK(err, "make a pipe")
			defer stdin.Close()
			io.WriteString(keyboard, text)
			p := t.serve(bare{stdin: stdin}, t.newStore())
			p.configure()
			p.begin()
			p.Show(p.Admin.Username)
			p.Shutdown()
			keyboard.Close()
			if left, err := io.ReadAll(stdin); err != nil || string(left) != text {
				t.Errorf("of %q on standard input, %q is left (%s)", text, left, describe(err))
			}
		},
	},
	{
		Name:     "process/keeps-its-files-private",
		Contract: `design rule 9: what a backend makes in the home is its owner's alone, mode 0600 or 0700, whatever the umask`,
		run: func(t *T) {
			p := t.serve(bare{by: `umask 0; exec "$0"`}, t.newStore())
			p.configure()
			p.begin()
			if p.Declares(account.CapabilityChange) {
				p.Create("jeff", account.User)
			}
			t.OK(filepath.WalkDir(p.store.home, func(path string, d fs.DirEntry, err error) error {
				if err != nil || path == p.store.home {
					return err
				}
				if info, err := d.Info(); err == nil && info.Mode().Type() != fs.ModeSymlink && info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s has mode %#o, want none of it for group and others", filepath.Base(path), info.Mode().Perm())
				}
				return nil
			}), "read the home")
		},
	},
	{
		Name:     "process/survives-a-kill-while-it-configures",
		Contract: `design rule 1: a process killed at any moment of Configure leaves nothing that keeps the next from opening the store`,
		run: func(t *T) {
			s := t.newStore()
			for _, wait := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond} {
				p := t.launch(Launch{}, s)
				asked := make(chan struct{})
				go func() {
					defer close(asked)
					p.Users.Configure(t.ctx, account.Configuration{Home: s.home, Settings: s.settings})
				}()
				time.Sleep(wait)
				p.Kill()
				<-asked
			}
			p := t.launch(Launch{}, s)
			p.configure()
			p.begin()
		},
	},
	{
		Name:     "process/survives-bad-messages",
		Contract: `design rule 10, for the other side: what is no message, and a method that is not there, are refused with a status and cost nothing else; a message of more than 1 MiB, which no host sends, costs nothing either`,
		run: func(t *T) {
			p := t.Open()
			for _, method := range []string{"Show", "Create", "Authenticate", "Records", "Frobnicate"} {
				for name, sent := range map[string][]byte{"what is no message": []byte("\xff\xff\xff\xff garbage"), "5 MiB of zeros": make([]byte, 5<<20)} {
					ctx, cancel := t.Within(startBound)
					err := p.process.Conn().Invoke(ctx, "/concourse.users.v1.Users/"+method, sent, new([]byte),
						grpc.ForceCodecV2(rawCodec{}), grpc.MaxCallSendMsgSize(64<<20))
					cancel()
					if err == nil {
						t.Errorf("%s, given %s, is answered without an error", method, name)
					}
					if p.over() {
						t.Fatalf("%s, given %s, has ended the process", method, name)
					}
				}
				p.Show(p.Admin.Username)
			}
		},
	},
}

// over reports whether the process has ended.
func (p *Plugin) over() bool {
	select {
	case <-p.process.Exited():
		return true
	default:
		return false
	}
}

// endsWell asks the process to end, and returns the next one on the same store,
// to be configured. Before each attempt it calls prepare. Only if the process
// takes too long are there others: the machine may be busy.
func (p *Plugin) endsWell(prepare func(*Plugin)) *Plugin {
	const attempts = 3
	for i := range attempts {
		prepare(p)
		how := p.Shutdown()
		next := p.t.launch(Launch{}, p.store)
		next.admin, next.Admin = p.admin, p.Admin
		switch {
		case how == "exit status 0":
			return next
		case how != "signal: killed":
			p.t.Fatalf("asked to end, it ended with %s, want exit status 0", how)
		case i == attempts-1:
			p.t.Fatalf("asked to end, it did not within %s, %d times over, and was killed", endBound, attempts)
		}
		next.configure()
		p = next
	}
	panic("unreachable")
}

// busy has so many goroutines read until the process ends; it returns once each
// has got an answer.
func (p *Plugin) busy(n int) {
	ctx, cancel := context.WithCancel(p.t.ctx)
	var working sync.WaitGroup
	p.t.cleanup(func() { cancel(); working.Wait() })
	var answered atomic.Int64
	for range n {
		working.Go(func() {
			for ctx.Err() == nil {
				if _, err := p.Users.Show(ctx, p.Admin, p.Admin.Username); err != nil {
					return
				}
				answered.Add(1)
			}
		})
	}
	p.t.Await(startBound, fmt.Sprintf("%d calls are answered", n), func() bool { return answered.Load() >= int64(n) })
}

// rawCodec sends bytes as they are, under the name of protobuf.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
