package etcd_test

import (
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// tap stands between a store and etcd, and decides about each connection what
// passes. New connections pass everything.
type tap struct {
	listener net.Listener
	far      string

	mu      sync.Mutex // guards the rest
	links   map[*link]struct{}
	refuses bool // new connections
}

// link is one connection.
type link struct {
	near, far net.Conn
	silent    atomic.Bool // what etcd says is dropped
	requests  ends
	answers   ends

	mu    sync.Mutex // guards the rest; held while something is written to etcd
	holds bool       // the next request is kept back; what comes after it is dropped
	held  []byte
	whole bool // held is a request
}

// tapped starts a tap in front of an endpoint.
func tapped(t testing.TB, endpoint string) *tap {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, far, found := strings.Cut(endpoint, "://")
	if !found {
		far = endpoint
	}
	p := &tap{listener: listener, far: far, links: map[*link]struct{}{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				p.serve(near)
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		for l := range p.links {
			l.near.Close()
			l.far.Close()
		}
	})
	return p
}

func (p *tap) endpoint() string { return p.listener.Addr().String() }

func (p *tap) serve(near net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses {
		near.Close()
		return
	}
	far, err := net.Dial("tcp", p.far)
	if err != nil {
		near.Close()
		return
	}
	l := &link{near: near, far: far, requests: ends{left: len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}}
	p.links[l] = struct{}{}
	go l.up()
	go l.down()
}

// up passes on what the store says. Its end is not passed on, so that what was
// held may still arrive.
func (l *link) up() {
	b := make([]byte, 64<<10)
	for {
		n, err := l.near.Read(b)
		if err != nil {
			return
		}
		l.mu.Lock()
		before := l.requests.n.Load()
		l.requests.pass(b[:n])
		switch {
		case !l.holds:
			l.far.Write(b[:n])
		case !l.whole:
			l.held = append(l.held, b[:n]...)
			l.whole = l.requests.n.Load() > before
		}
		l.mu.Unlock()
	}
}

func (l *link) down() {
	b := make([]byte, 64<<10)
	for {
		n, err := l.far.Read(b)
		if err != nil {
			l.near.Close()
			return
		}
		l.answers.pass(b[:n])
		if !l.silent.Load() {
			l.near.Write(b[:n])
		}
	}
}

// ends counts the ends of messages in what one side of HTTP/2 says: of requests,
// or of answers.
type ends struct {
	n      atomic.Int64
	head   []byte // of the frame that is being passed
	left   int    // what is left of its body, or of what precedes the first one
	atTail bool   // it ends a message
}

func (e *ends) pass(b []byte) {
	const headSize, data, headers, endStream = 9, 0, 1, 1
	for len(b) > 0 {
		if e.left == 0 {
			n := min(headSize-len(e.head), len(b))
			e.head, b = append(e.head, b[:n]...), b[n:]
			if len(e.head) < headSize {
				return
			}
			e.left = int(e.head[0])<<16 | int(e.head[1])<<8 | int(e.head[2])
			e.atTail = (e.head[3] == data || e.head[3] == headers) && e.head[4]&endStream != 0
			e.head = e.head[:0]
		}
		n := min(e.left, len(b))
		e.left, b = e.left-n, b[n:]
		if e.left == 0 && e.atTail {
			e.atTail = false
			e.n.Add(1)
		}
	}
}

// requests is how many were made over all connections, but for streams.
func (p *tap) requests() (n int64) {
	p.each(func(l *link) { n += l.requests.n.Load() })
	return n
}

// each does something to every connection that there is now.
func (p *tap) each(do func(*link)) (links []*link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		do(l)
		links = append(links, l)
	}
	return links
}

// silence drops what etcd answers.
func (p *tap) silence() { p.each(func(l *link) { l.silent.Store(true) }) }

// hold keeps back what the store asks next.
func (p *tap) hold() []*link {
	return p.each(func(l *link) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.holds = true
	})
}

// cut breaks the connections off, as they look to the store.
func (p *tap) cut() { p.each(func(l *link) { l.near.Close() }) }

// refuse refuses new connections, or takes them again.
func (p *tap) refuse(so bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = so
}

// release has a request that was held arrive.
func (l *link) release() (released bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.whole {
		l.far.Write(l.held)
	}
	return l.whole
}
