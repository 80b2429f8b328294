package relay_test

import (
	"runtime"

	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
)

// during makes a call and does something else when the upstream has done what was
// asked, and has not answered yet.
func (k *client) during(name string, c call, do func()) error {
	k.Helper()
	done, released := make(chan struct{}), make(chan struct{})
	k.server.Next(name, upstream.Late(done, released))
	result := make(chan error, 1)
	go func() {
		_, err := k.call(name, c)
		result <- err
	}()
	select {
	case <-done:
	case err := <-result:
		k.Fatalf("%s = %v, without what it asked for being done", name, err)
	}
	do()
	close(released)
	return <-result
}

// goCall makes a call meanwhile; to hears how it ended.
func (k *client) goCall(to chan<- error, name string, c call) {
	go func() {
		_, err := k.call(name, c)
		to <- err
	}()
}

// unheard does something that the relay does not hear of.
func (w *world) unheard(do func()) {
	w.deaf.Store(true)
	defer w.deaf.Store(false)
	do()
}

// heap returns how much is in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
