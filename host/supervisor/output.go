package supervisor

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Bounds on what a plugin's output costs the host. go-plugin's own reader is
// not used: it has none, and a log line whose "@message" is not a string makes
// it panic.
const (
	maxRawLine = 16 << 10 // more of a line is read and forgotten
	maxText    = 4 << 10  // of a message that is logged
	maxValue   = 512
	maxPairs   = 16
	perSecond  = 200  // lines logged; the rest are counted
	readPerSec = 2000 // lines looked at, those below the host's log level included
	maxTail    = 3    // lines kept to explain a start that failed
)

// output turns what one process writes into lines of the host's log: bounded,
// limited in number, without control characters (rule 10).
type output struct {
	log hclog.Logger

	mu       sync.Mutex // guards the rest
	window   time.Time  // when the current second began
	read     int        // in this second
	logged   int        // in this second
	dropped  int        // since the last report
	reporter *time.Timer
	tail     []string
}

func newOutput(log hclog.Logger) *output { return &output{log: log} }

// stream returns a writer for one of the process's streams. One goroutine uses
// it.
func (o *output) stream(name string) *stream { return &stream{to: o, name: name} }

// close reports the last dropped lines.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reporter != nil {
		o.reporter.Stop()
		o.report()
	}
}

// lastLines returns the newest lines, for an error's text.
func (o *output) lastLines() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return cut(strings.Join(o.tail, "; "), maxValue)
}

// admit counts a line against a budget for the current second.
func (o *output) admit(count *int, budget int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); now.Sub(o.window) >= time.Second {
		o.window, o.read, o.logged = now, 0, 0
	}
	if *count++; *count <= budget {
		return true
	}
	if o.dropped++; o.reporter == nil {
		o.reporter = time.AfterFunc(time.Second, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.reporter != nil {
				o.report()
			}
		})
	}
	return false
}

func (o *output) report() {
	o.log.Warn("the plugin writes too much", "dropped_lines", o.dropped)
	o.dropped, o.reporter = 0, nil
}

func (o *output) line(raw []byte, whole bool, source string, panicking *bool) {
	if !o.admit(&o.read, readPerSec) {
		return
	}
	l := parseLine(raw, whole, panicking)
	if l.plain || l.level >= hclog.Warn {
		o.keep(l.message)
	}
	if l.level < o.log.GetLevel() || !o.admit(&o.logged, perSecond) {
		return
	}
	if source != "" {
		l.pairs = append(l.pairs, "stream", source)
	}
	o.log.Log(l.level, l.message, l.pairs...)
}

// keep holds the newest lines that may say why a process ends: plain ones, and
// log lines of some weight.
func (o *output) keep(message string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tail = append(o.tail, message); len(o.tail) > maxTail {
		o.tail = o.tail[1:]
	}
}

// stream splits one stream into lines.
type stream struct {
	to        *output
	name      string // empty: standard error, where log lines are expected
	held      []byte // an unfinished line's beginning, at most maxRawLine
	cut       bool   // held lacks what came after
	panicking bool   // a Go panic's trace has begun
}

// Write never fails and keeps at most maxRawLine bytes.
func (s *stream) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte{'\n'})
		room := min(len(part), maxRawLine-len(s.held))
		s.held = append(s.held, part[:room]...)
		s.cut = s.cut || room < len(part)
		if ended {
			s.flush()
		}
		rest = after
	}
	return len(p), nil
}

// flush logs what is held as a line.
func (s *stream) flush() {
	if line := bytes.TrimRight(s.held, "\r"); len(line) > 0 {
		s.to.line(line, !s.cut, s.name, &s.panicking)
	}
	s.held, s.cut = s.held[:0], false
}
