package etcdtest

import (
	"net"
	"sync"
	"time"
)

// gate stands between two ends that talk through a proxy, and lets pass what
// the test wants.
type gate struct {
	mu      sync.Mutex
	shut    bool          // connections are broken, and new ones closed at once
	held    chan struct{} // not nil: nothing passes until it is closed
	delay   time.Duration // what passes is so late
	through map[net.Conn]struct{}
}

// set replaces what the gate did before.
func (g *gate) set(shut, held bool, delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held != nil {
		close(g.held)
		g.held = nil
	}
	if held {
		g.held = make(chan struct{})
	}
	g.shut, g.delay = shut, delay
	if shut {
		for c := range g.through {
			c.Close()
		}
	}
}

// wait returns when the next bytes may pass.
func (g *gate) wait() {
	for {
		g.mu.Lock()
		held, delay := g.held, g.delay
		g.mu.Unlock()
		if held == nil {
			time.Sleep(delay)
			return
		}
		<-held
	}
}

// join lets two connections talk until one of them ends, and closes both.
func (g *gate) join(near, far net.Conn) {
	if !g.enter(near, far) {
		return
	}
	defer g.leave(near, far)
	ended := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		defer func() { ended <- struct{}{} }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				g.wait()
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	go pass(far, near)
	go pass(near, far)
	<-ended
}

// enter closes both where nothing passes.
func (g *gate) enter(near, far net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		near.Close()
		far.Close()
		return false
	}
	if g.through == nil {
		g.through = map[net.Conn]struct{}{}
	}
	g.through[near], g.through[far] = struct{}{}, struct{}{}
	return true
}

func (g *gate) leave(near, far net.Conn) {
	near.Close()
	far.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.through, near)
	delete(g.through, far)
}
