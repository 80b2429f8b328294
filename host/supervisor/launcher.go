package supervisor

import "runtime"

// launcher starts every process from one thread that lives as long as it does:
// the kernel sends a child its parent-death signal when the thread that forked
// it ends, and the Go runtime may end any other thread at will.
type launcher struct{ work chan func() }

func newLauncher() *launcher {
	l := &launcher{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for f := range l.work {
			f()
		}
	}()
	return l
}

func (l *launcher) do(f func()) {
	done := make(chan struct{})
	l.work <- func() { defer close(done); f() }
	<-done
}

// stop is called once, when no process is left.
func (l *launcher) stop() { close(l.work) }
