package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress is a line on a terminal that says how far a long run is. It shows
// after a second, is erased for every other line and at the end, and is never
// there for a program.
type progress struct {
	out   *os.File                        // nil: nobody looks
	line  func(took time.Duration) string // is ASCII: a byte is a cell
	mu    sync.Locker                     // guards what line tells of, and drawn
	drawn int                             // the cells that are filled; 0: it is not there
	over  chan struct{}
	ended chan struct{}
}

const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// newProgress calls line under mu.
func newProgress(c *console, mu sync.Locker, line func(took time.Duration) string) *progress {
	p := &progress{line: line, mu: mu, over: make(chan struct{}), ended: make(chan struct{})}
	if !c.json && term.IsTerminal(int(os.Stderr.Fd())) {
		p.out = os.Stderr
	}
	return p
}

// begin starts the clock; end must follow.
func (p *progress) begin() {
	since := time.Now()
	go func() {
		defer close(p.ended)
		if p.out == nil {
			return
		}
		ticks := time.NewTicker(progressEvery)
		defer ticks.Stop()
		for {
			select {
			case <-p.over:
				return
			case now := <-ticks.C:
				if took := now.Sub(since); took >= progressAfter {
					p.draw(took)
				}
			}
		}
	}()
}

// end erases it.
func (p *progress) end() {
	close(p.over)
	<-p.ended
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

func (p *progress) draw(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	line := p.line(took)
	if width, _, err := term.GetSize(int(p.out.Fd())); err == nil && width > 0 {
		line = line[:min(len(line), width-1)]
	}
	p.drawn = len(line)
	fmt.Fprint(p.out, line)
}

// erase needs mu.
func (p *progress) erase() {
	if p.drawn > 0 {
		fmt.Fprint(p.out, "\r"+strings.Repeat(" ", p.drawn)+"\r")
		p.drawn = 0
	}
}

// meter passes on what is written, and shows how much that was; end must follow.
type meter struct {
	*progress
	to io.Writer

	mu    sync.Mutex
	total int64
}

func newMeter(c *console, to io.Writer) *meter {
	m := &meter{to: to}
	m.progress = newProgress(c, &m.mu, func(time.Duration) string { return "received " + bytesText(m.total) })
	m.begin()
	return m
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.to.Write(p)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total += int64(n)
	return n, err
}
