package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options are the log's settings.
type Options struct {
	MaxSize int64 // bytes at which a new file begins; 0: never
	Keep    int   // how many earlier files stay; 0: all

	Warn     func(error)                     // hears of a new file that could not be begun; nil: nobody
	Appended func(time.Duration, error)      // hears of every Append how long it took and how it ended; nil: nobody
	Now      func() time.Time                // nil: time.Now
	OpenFile func(path string) (File, error) // nil: the file system
}

// ErrClosed is what Append returns after Close.
var ErrClosed = errors.New("the audit log is closed")

// Log is an open audit log. Its methods may be called at once. Only one Log at
// a time may be open on a path: the host's lock sees to that.
type Log struct {
	path    string
	options Options
	opened  uint64 // the number of the last line before Open

	mu      sync.Mutex
	next    *group // lines that wait for the writer; nil: none
	writing *group // what the writer is about; nil: nothing
	closed  bool
	open    openIDs
	failed  error // broken, for Err
	full    bool  // refused is not 0, for Ready

	refusals refusals

	wake chan struct{} // one place: there may be something to do
	done chan struct{} // closed when the writer has ended

	// The writer's own.
	file       File
	size       int64 // of whole, synced lines
	seq        uint64
	torn       bool      // bytes after size may be on disk
	broken     error     // why no line can be written any more
	refused    int       // lines since the last that was written, for want of space
	rotateFrom time.Time // not before; after a failure
}

// group is what is written and synced at once.
type group struct {
	since   time.Time // the first of it came in
	entries []Entry
	lines   [][]byte
	done    chan struct{} // closed when err is final
	err     error
}

// Open opens the log, and makes it, mode 0600 in a directory of mode 0700, if
// it is absent. What a crash or a power cut has torn of the last write is cut
// off, and a log_repaired line says so.
func Open(path string, o Options) (*Log, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	if o.Appended == nil {
		o.Appended = func(time.Duration, error) {}
	}
	if o.OpenFile == nil {
		o.OpenFile = openFile
	}
	l := &Log{path: path, options: o, wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.refusals.init(l)
	cut, err := l.prepare()
	if err != nil {
		return nil, fmt.Errorf("cannot open the audit log %s: %w", path, err)
	}
	go l.write()
	if cut > 0 {
		if err := l.Append(Entry{Event: LogRepaired, Outcome: OK, Count: uint64(cut)}); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// prepare opens the current file with a whole last line, finds the last number,
// and returns how many bytes it cut off.
func (l *Log) prepare() (cut int64, err error) {
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	// A rotation that a crash cut short leaves an empty file.
	if err := os.RemoveAll(beside(l.path)); err != nil {
		return 0, err
	}
	if l.file, err = l.options.OpenFile(l.path); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			l.file.Close()
		}
	}()
	size, whole, err := wholeLines(l.path)
	if err != nil {
		return 0, err
	}
	if size > whole {
		if err := l.file.Truncate(whole); err != nil {
			return 0, err
		}
	}
	// A process that was killed between writing a line and syncing it leaves the
	// line readable, but not on disk; the first line of this one may go to another
	// file.
	if size > 0 {
		if err := l.file.Sync(); err != nil {
			return 0, err
		}
	}
	l.size = whole
	if l.seq, err = lastSeq(l.path); err != nil {
		return 0, err
	}
	l.opened = l.seq
	// The directory's own entry too: either may be new.
	return size - whole, errors.Join(syncDirectory(dir), syncDirectory(filepath.Dir(dir)))
}

// Append writes a line and returns when it is on disk. Lines that come while
// others are being written wait for those, and are then written and synced
// together. When the disk is full the lines at hand are refused, none of them
// in part, and later ones are tried again, behind a log_resumed line that tells
// how many were refused; after any other failure every
// Append is refused, because what is on disk is not known any more.
func (l *Log) Append(e Entry) error { return l.append([]Entry{e}) }

func (l *Log) append(entries []Entry) (err error) {
	began := time.Now()
	defer func() { l.options.Appended(time.Since(began), err) }()
	lines := make([][]byte, len(entries))
	for i, e := range entries {
		line, err := encode(e)
		if err != nil {
			return err
		}
		lines[i] = line
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	if l.next == nil {
		l.next = &group{since: began, done: make(chan struct{})}
	}
	g := l.next
	g.entries = append(g.entries, entries...)
	g.lines = append(g.lines, lines...)
	l.mu.Unlock()
	l.nudge()
	<-g.done
	return g.err
}

func (l *Log) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Ready returns why the log would take no line now, nil if it would. Whoever owes
// a line asks before the deed. Of a disk that was full it finds out whether it
// still is.
func (l *Log) Ready() error {
	l.mu.Lock()
	failed, full := l.failed, l.full
	l.mu.Unlock()
	if failed == nil && full {
		return l.append(nil)
	}
	return failed
}

// Err returns why the log takes no line any more until it is opened anew, nil
// while it does.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// Waiting returns how many lines wait to be on disk, and since when the oldest
// of them does.
func (l *Log) Waiting() (lines int, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range []*group{l.next, l.writing} { // the older last
		if g != nil {
			lines, since = lines+len(g.lines), g.since
		}
	}
	return lines, since
}

// Close writes what waits, refusals that were only counted included, and
// closes the file.
func (l *Log) Close() error {
	err := l.refusals.flush()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.nudge()
	<-l.done
	return err
}
