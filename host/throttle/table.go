package throttle

import (
	"container/list"
	"time"
)

// key is a keyed hash of a name and its source.
type key [16]byte

// table holds the failures of at most size keys. It is guarded by its
// Throttle's mutex.
type table struct {
	size    int
	entries map[key]*entry
	quiet   *list.List // of entries without attempts under way; the longest quiet first
}

func newTable(size int) *table {
	return &table{size: size, entries: map[key]*entry{}, quiet: list.New()}
}

type entry struct {
	key      key
	failures int
	last     time.Time // the last failure
	until    time.Time // no attempt before
	underWay int
	ended    chan struct{} // closed when an attempt ends; nil: nobody waits
	place    *list.Element // in quiet; nil while attempts are under way
}

// blocked returns how long a new attempt has to wait, 0 if it need not. Attempts
// under way count as if they had failed; if they alone are in the way, ended is
// closed when one of them is over.
func (t *table) blocked(k key, now time.Time) (wait time.Duration, ended <-chan struct{}) {
	e := t.entries[k]
	if e == nil {
		return 0, nil
	}
	t.forget(e, now)
	if wait := e.until.Sub(now); wait > 0 {
		return wait, nil
	}
	if e.underWay == 0 {
		return 0, nil
	}
	wait = delay(e.failures + e.underWay)
	if wait == 0 {
		return 0, nil
	}
	if e.ended == nil {
		e.ended = make(chan struct{})
	}
	return wait, e.ended
}

// room reports whether k has an entry or may get one, and makes room for it: by
// forgetting the entry that would be forgotten soonest in any case, but never
// one with attempts under way.
func (t *table) room(k key) bool {
	if t.entries[k] != nil || len(t.entries) < t.size {
		return true
	}
	longest := t.quiet.Front()
	if longest == nil {
		return false
	}
	t.drop(longest.Value.(*entry))
	return true
}

// begin counts an attempt under way.
func (t *table) begin(k key) *entry {
	e := t.entries[k]
	if e == nil {
		e = &entry{key: k}
		t.entries[k] = e
	}
	if e.place != nil {
		t.quiet.Remove(e.place)
		e.place = nil
	}
	e.underWay++
	return e
}

// end counts an attempt's outcome.
func (t *table) end(e *entry, now time.Time, o Outcome) {
	t.forget(e, now)
	e.underWay--
	switch o {
	case Succeeded:
		e.failures, e.until = 0, time.Time{}
	case Failed:
		e.failures++
		e.last = now
		e.until = now.Add(delay(e.failures))
	}
	if e.ended != nil {
		close(e.ended)
		e.ended = nil
	}
	switch {
	case e.underWay > 0:
	case e.failures == 0:
		delete(t.entries, e.key)
	default:
		e.place = t.quiet.PushBack(e)
	}
}

// forget takes back the failures that are no longer remembered.
func (t *table) forget(e *entry, now time.Time) {
	if now.Sub(e.last) >= memory {
		e.failures = 0
	}
}

// prune drops what is forgotten, a few entries at a time.
func (t *table) prune(now time.Time) {
	for range 2 {
		longest := t.quiet.Front()
		if longest == nil {
			return
		}
		e := longest.Value.(*entry)
		if t.forget(e, now); e.failures > 0 {
			return
		}
		t.drop(e)
	}
}

func (t *table) drop(e *entry) {
	t.quiet.Remove(e.place)
	delete(t.entries, e.key)
}
