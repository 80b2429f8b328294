package audit

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	// refusalWindow is how long refusals alike are counted behind the first.
	refusalWindow = 10 * time.Second
	// mostRefusals bounds the kinds of refusals that are counted apart.
	mostRefusals = 4096
)

// LoginRefused logs a refused login. The first of its kind - submitted name,
// source, outcome and reason - is written like any other line, whether the name
// is an account's or not, so that the time it takes tells nothing (rule 9). Those that follow within
// 10 s are counted, and come as one line with Count when the time is over, or
// at Close. Beyond 4,096 kinds at once the rest is counted in a line of its
// own. Of a line that is written known says whether the name is an account's: a
// name that no account has is left out. It is not asked for those that are only
// counted.
func (l *Log) LoginRefused(e Entry, submitted string, known func() bool) error {
	e.Event = LoginRefused
	row, counted := l.refusals.count(e, submitted)
	if counted {
		return nil
	}
	if e.Caller != nil && known() {
		c := *e.Caller
		c.Username = submitted
		e.Caller = &c
		l.refusals.name(row, e)
	}
	return l.Append(e)
}

// refusals counts what LoginRefused does not write at once.
type refusals struct {
	log  *Log
	seed maphash.Seed

	mu     sync.Mutex
	rows   map[refusalKind]*refusalRow
	closed bool
	ending sync.WaitGroup // rows whose time is over and whose line is being written
}

// refusalKind is what makes refusals alike. The zero kind is of all that find
// no place.
type refusalKind struct {
	submitted uint64 // a seeded hash of the name
	address   string
	uid       int64 // -1: none
	listener  account.Listener
	outcome   string
	reason    account.Reason
}

type refusalRow struct {
	entry       Entry
	count       uint64
	first, last time.Time
	timer       *time.Timer
}

func (r *refusals) init(l *Log) {
	r.log, r.seed, r.rows = l, maphash.MakeSeed(), map[refusalKind]*refusalRow{}
}

func (r *refusals) kindOf(e Entry, submitted string) refusalKind {
	k := refusalKind{submitted: maphash.String(r.seed, submitted), uid: -1, outcome: e.Outcome, reason: e.Reason}
	if c := e.Caller; c != nil {
		k.address, k.listener = c.RemoteAddress, c.Listener
		if c.UID != nil {
			k.uid = int64(*c.UID)
		}
	}
	return k
}

// count reports whether a later line will tell of the refusal, or else returns
// the row of those that follow it, if they are counted.
func (r *refusals) count(e Entry, submitted string) (first *refusalRow, counted bool) {
	now := r.log.options.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false
	}
	e = e.bounded()
	kind := r.kindOf(e, submitted)
	if row, ok := r.rows[kind]; ok {
		row.add(now)
		return nil, true
	}
	if len(r.rows) < mostRefusals {
		first = &refusalRow{entry: e}
		r.begin(kind, first)
		return first, false
	}
	row, ok := r.rows[refusalKind{}]
	if !ok {
		row = &refusalRow{entry: Entry{Event: LoginRefused, Outcome: e.Outcome, Detail: "of further usernames and sources"}}
		r.begin(refusalKind{}, row)
	}
	row.add(now)
	return nil, true
}

// name makes a row's entry the one given, which has a name.
func (r *refusals) name(row *refusalRow, e Entry) {
	if row == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	row.entry = e.bounded()
}

func (row *refusalRow) add(now time.Time) {
	if row.count == 0 {
		row.first = now
	}
	row.count++
	row.last = now
}

func (row *refusalRow) line() Entry {
	e := row.entry
	e.Count, e.First, e.Last = row.count, row.first.UTC(), row.last.UTC()
	return e
}

// begin opens a row's window. The caller holds mu.
func (r *refusals) begin(kind refusalKind, row *refusalRow) {
	r.rows[kind] = row
	row.timer = time.AfterFunc(refusalWindow, func() { r.end(kind, row) })
}

func (r *refusals) end(kind refusalKind, row *refusalRow) {
	r.mu.Lock()
	if r.closed || r.rows[kind] != row {
		r.mu.Unlock()
		return
	}
	delete(r.rows, kind)
	r.ending.Add(1)
	line := row.line()
	r.mu.Unlock()
	defer r.ending.Done()
	if row.count == 0 || r.log.Append(line) == nil {
		return
	}
	// Counted on, until the disk takes the line.
	r.mu.Lock()
	defer r.mu.Unlock()
	if newer, ok := r.rows[kind]; ok {
		newer.first, newer.last = row.first, later(row.last, newer.last)
		newer.count += row.count
	} else if !r.closed {
		r.begin(kind, row)
	}
}

// flush writes what is counted, and ends the counting.
func (r *refusals) flush() error {
	r.mu.Lock()
	var lines []Entry
	for _, row := range r.rows {
		row.timer.Stop()
		if row.count > 0 {
			lines = append(lines, row.line())
		}
	}
	r.closed, r.rows = true, nil
	r.mu.Unlock()
	r.ending.Wait()
	if len(lines) == 0 {
		return nil
	}
	return r.log.append(lines)
}
