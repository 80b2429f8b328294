//go:build unix && !linux

package supervisor

import "syscall"

// attributes make the process lead a group of its own. Systems other than
// Linux have no parent-death signal.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// wait returns when the process is reaped. No portable call waits without
// reaping, so the group cannot be killed while its number is surely its own.
func (p *process) wait() {
	p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
}
