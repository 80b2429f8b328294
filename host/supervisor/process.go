package supervisor

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is one run of an executable, with a process group of its own: a
// Ctrl-C in the host's terminal does not reach it, and kill reaches its
// children. On Linux they die with it however it ends; elsewhere those of a
// process that ends by itself live on.
type process struct {
	cmd    *exec.Cmd
	stdout *os.File // our ends; closed soon after the exit
	stderr *os.File

	// mu is held while a signal is sent and, on Linux, while the process is
	// reaped, so that no signal goes to strangers that were given the number of
	// its group. Elsewhere the moment between the reaping and reaped remains.
	mu     sync.Mutex
	reaped bool

	exited chan struct{} // closed when the process is reaped
	end    string        // how it ended; read after exited is closed
}

// startProcess runs the file with exactly this environment, /dev/null for
// standard input, and dir as working directory.
func startProcess(l *launcher, path, dir string, env []string) (*process, error) {
	p := &process{exited: make(chan struct{})}
	stdout, outEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer outEnd.Close()
	stderr, errEnd, err := os.Pipe()
	if err != nil {
		stdout.Close()
		return nil, err
	}
	defer errEnd.Close()
	p.stdout, p.stderr = stdout, stderr
	for tries := 0; ; tries++ {
		p.cmd = &exec.Cmd{Path: path, Args: []string{path}, Dir: dir, Env: env, Stdout: outEnd, Stderr: errEnd, SysProcAttr: attributes()}
		l.do(func() { err = p.cmd.Start() })
		// Another fork of this program, not yet at its exec, may still hold
		// the descriptor that wrote the copy.
		if !errors.Is(err, syscall.ETXTBSY) || tries == 50 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		stdout.Close()
		stderr.Close()
		return nil, err
	}
	go p.reap()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill sends SIGKILL to the process and its group, if it is not reaped yet.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.signalGroup()
	}
}

func (p *process) signalGroup() {
	syscall.Kill(-p.pid(), syscall.SIGKILL)
	p.cmd.Process.Kill() // it may have left its group
}

func (p *process) reap() {
	p.wait()
	p.end = p.cmd.ProcessState.String()
	close(p.exited)
	// A descendant may hold the other ends open for ever; what the process
	// itself wrote is read long before this.
	time.AfterFunc(time.Second, func() {
		p.stdout.Close()
		p.stderr.Close()
	})
}
