package plugin

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// armDeath asks the kernel to kill this process when its parent ends. The
// setting belongs to the thread that asks, so that thread is kept for good.
//
// What the kernel calls the parent is the thread that started this process: a
// host must not start plugins on a thread that it lets go, as a goroutine does
// that ends with its thread locked.
func armDeath() {
	armed := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		// It fails for an unknown signal only; the watch is there anyway.
		_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
		close(armed)
		select {}
	}()
	<-armed
}
