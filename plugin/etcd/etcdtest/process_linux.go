package etcdtest

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes make a member die with the test, however that dies, and keep a
// terminal's interrupt from it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func (m *member) stop() {
	m.cluster.t.Helper()
	m.signal(syscall.SIGSTOP)
	for {
		err := unix.Waitid(unix.P_PID, m.process.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			m.cluster.t.Fatalf("wait until member %d is stopped: %v", m.number, err)
		}
	}
}

func (m *member) cont() { m.cluster.t.Helper(); m.signal(syscall.SIGCONT) }

func (m *member) signal(s syscall.Signal) {
	m.cluster.t.Helper()
	if m.process == nil {
		m.cluster.t.Fatalf("member %d does not run", m.number)
	}
	if err := m.process.Process.Signal(s); err != nil {
		m.cluster.t.Fatal(err)
	}
}
