package audit

import "fmt"

// write is the one goroutine that touches the file. It takes every line that
// waits at once; one that comes alone is written at once.
func (l *Log) write() {
	defer close(l.done)
	defer func() { l.file.Close() }()
	for range l.wake {
		l.mu.Lock()
		g, closed := l.next, l.closed
		l.next, l.writing = nil, g
		l.mu.Unlock()
		if g != nil {
			if g.err = l.commit(g.lines); g.err != nil {
				l.refused += len(g.lines)
			}
			l.note(g)
			close(g.done)
		}
		if closed {
			return
		}
	}
}

// commit writes lines and syncs them, all or none. Without any it finds out
// whether there is room again, if there was none.
func (l *Log) commit(lines [][]byte) error {
	if l.broken != nil {
		return l.broken
	}
	if err := l.repair(); err != nil {
		return err
	}
	if l.refused > 0 {
		resumed, err := encode(Entry{Event: LogResumed, Outcome: OK, Count: uint64(l.refused)})
		if err != nil {
			return err
		}
		lines = append([][]byte{resumed}, lines...)
	}
	if len(lines) == 0 {
		return nil
	}
	at := l.options.Now()
	var b []byte
	for i, line := range lines {
		b = stamp(b, at, l.seq+1+uint64(i), line)
	}
	if l.options.MaxSize > 0 && l.size > 0 && l.size+int64(len(b)) > l.options.MaxSize && !at.Before(l.rotateFrom) {
		if l.broken = l.rotate(); l.broken != nil {
			return l.broken
		}
	}
	_, err := l.file.Write(b)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		return l.fail(err)
	}
	l.refused = 0
	l.size += int64(len(b))
	l.seq += uint64(len(lines))
	return nil
}

// fail takes back what may be on disk of lines that are refused. A sync that
// failed for another reason than space may have lost earlier lines for good,
// and later syncs would not tell.
func (l *Log) fail(err error) error {
	err = fmt.Errorf("cannot write to the audit log %s: %w", l.path, err)
	l.torn = true
	if !noSpace(err) {
		l.broken = err
	}
	l.repair()
	return err
}

func (l *Log) repair() error {
	if !l.torn {
		return nil
	}
	if err := l.file.Truncate(l.size); err != nil {
		return fmt.Errorf("cannot repair the audit log %s: %w", l.path, err)
	}
	l.torn = false
	return nil
}
