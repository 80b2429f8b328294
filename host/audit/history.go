package audit

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	// window is how far back a record may lack its line: records are kept for
	// RecordLifetime, and a request id may be used for new work for RequestLifetime.
	window = account.RecordLifetime + account.RequestLifetime
	// slack allows for a commit's time being taken before the commit, and for
	// clocks that are set.
	slack = 5 * time.Minute
)

// history is what the log says of changes.
type history struct {
	answered map[account.RequestID]bool // has an OK line
	open     map[account.RequestID]bool // has only uncertain ones
	cutoff   time.Time                  // changes committed before have their lines, but for the open ones
	least    time.Time                  // the earliest of the lines that were read
	last     time.Time                  // the latest of those of earlier runs; zero: there are none
	behind   time.Time                  // the earliest of those from the newest mark on
	marked   bool                       // there was a mark
}

// survey reads the log from its end back to the file that reaches beyond the
// cutoff: the newest mark's time less slack, or the window's begin, whichever is
// later. The window ends with the last line of an earlier run, which
// has the given number, and not now: a host that was down for long made no
// changes meanwhile, and its plugin pruned nothing.
func survey(path string, now time.Time, lastSeq uint64) (*history, error) {
	files, err := rotatedFiles(path)
	if err != nil {
		return nil, err
	}
	h := &history{
		answered: map[account.RequestID]bool{}, open: map[account.RequestID]bool{},
		least: now, behind: now,
	}
	var first Entry
	for _, name := range slices.Backward(append(files, path)) {
		reached := false
		for part, err := range partsOf(name) {
			if err != nil {
				return nil, err
			}
			if reached {
				err = h.skim(part, lastSeq)
			} else {
				var begin Entry
				if begin, err = h.add(part, lastSeq); begin.Seq > 0 {
					first = begin
				}
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if !h.last.IsZero() {
				h.cutoff = later(h.cutoff, earlier(now, h.last).Add(-window))
				reached = reached || !first.Time.After(h.cutoff)
			}
		}
		if reached {
			return h, nil
		}
	}
	if h.last.IsZero() {
		h.cutoff = now.Add(-window)
	}
	// What Keep has removed took the lines of its time with it: nothing can be
	// said of changes before the oldest line that is left.
	if first.Seq > 1 && h.least.After(h.cutoff) {
		h.cutoff = h.least
	}
	return h, nil
}

// add reads one part, older than those before, and returns its first entry.
func (h *history) add(part io.Reader, lastSeq uint64) (first Entry, err error) {
	open, behind, marked := map[account.RequestID]bool{}, h.behind, false
	for e, err := range entriesOf(part) {
		if errors.Is(err, errMalformed) {
			continue
		}
		if err != nil {
			return Entry{}, err
		}
		if first.Seq == 0 {
			first = e
		}
		h.least = earlier(h.least, e.Time)
		if e.Seq <= lastSeq {
			h.last = later(h.last, e.Time)
		}
		if e.Event == AuditComplete {
			open, behind, marked = parseIDs(e.Open), h.behind, true
		}
		behind = earlier(behind, e.Time)
		if id, ok := changeID(e); ok && e.Outcome == OK {
			h.answered[id] = true
		} else if ok && uncertain(e) {
			open[id] = true
		}
	}
	if h.marked {
		return first, nil
	}
	maps.Copy(h.open, open)
	h.behind, h.marked = behind, marked
	if marked {
		h.cutoff = later(h.cutoff, behind.Add(-slack))
	}
	return first, nil
}

// skim reads one part of a file whose newer parts reach beyond the cutoff. Only
// where a clock was set back does it have lines from behind that; the others are
// not decoded.
func (h *history) skim(part io.Reader, lastSeq uint64) error {
	for line, err := range linesOf(part) {
		if err != nil {
			return err
		}
		if at, err := time.Parse(time.RFC3339Nano, timeOf(line)); err == nil && !at.After(h.cutoff) {
			continue
		}
		e, err := decode(line)
		if err != nil {
			continue
		}
		if e.Seq <= lastSeq {
			h.last = later(h.last, e.Time)
		}
		if id, ok := changeID(e); ok && e.Outcome == OK {
			h.answered[id] = true
		} else if ok && uncertain(e) && !h.marked {
			h.open[id] = true
		}
	}
	return nil
}

// lacks reports whether a committed change has no OK line, and should have.
func (h *history) lacks(r account.Record) bool {
	at := r.At
	if at.IsZero() {
		at = r.RequestID.Time().Add(account.RequestLifetime)
	}
	return !h.answered[r.RequestID] && (h.open[r.RequestID] || !at.Before(h.cutoff))
}

// from returns an id before all that lacks may be true of.
func (h *history) from() account.RequestID {
	at := h.cutoff.Add(-account.RequestLifetime - slack)
	for id := range h.open {
		at = earlier(at, id.Time())
	}
	return account.FirstRequestID(at.Add(-time.Millisecond))
}

// stillOpen returns the open ids that may yet turn out to have been committed.
func (h *history) stillOpen(now time.Time) map[account.RequestID]bool {
	ids := map[account.RequestID]bool{}
	for id := range h.open {
		if !h.answered[id] && id.Time().After(now.Add(-window)) {
			ids[id] = true
		}
	}
	return ids
}

func parseIDs(texts []string) map[account.RequestID]bool {
	ids := map[account.RequestID]bool{}
	for _, text := range texts {
		if id, err := account.ParseRequestID(text); err == nil {
			ids[id] = true
		}
	}
	return ids
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
