package hosttest

import (
	"bytes"
	"sync"
)

// log collects what a host writes, over all of its starts.
type log struct {
	mu    sync.Mutex
	b     bytes.Buffer
	start int // of what the last start has written
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = l.b.Len()
}

func (l *log) sinceBegin() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b.Bytes()[l.start:])
}

func (l *log) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// end returns as much as helps.
func (l *log) end() string {
	const most = 32 << 10
	all := l.all()
	return all[max(len(all)-most, 0):]
}
