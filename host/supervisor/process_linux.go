package supervisor

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes make the process die with the host, however the host dies, and
// lead a group of its own.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// wait returns when the process is reaped. It kills what is left of the group
// first, while the dead leader still keeps the group's number from being given
// to others.
func (p *process) wait() {
	for {
		err := unix.Waitid(unix.P_PID, p.pid(), nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signalGroup()
	p.cmd.Wait()
	p.reaped = true
}
