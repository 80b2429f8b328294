package audit

import (
	"fmt"
	"iter"
	"maps"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Records returns a store's request records in the order of their ids, those
// after the given one. The zero id, and any id that no request has, may stand
// before the first.
type Records func(after account.RequestID) iter.Seq2[account.Record, error]

// mostAtOnce bounds how many recovered lines share one write.
const mostAtOnce = 256

// Reconcile adds a change line, marked recovered, for each record of this host
// whose request id has no OK line, and returns how many it added. An uncertain
// outcome, or a refusal of an earlier attempt under the same id, is no OK line:
// a record says that the change was committed.
//
// The host calls it at its start, once the plugin of an earlier run is gone and
// before it admits a call: no change may be under way. That, and Complete being
// called only when none is, is what makes a mark true: a change commits before
// its line is written, so one under way could have its record before a mark and
// its line behind it, or nowhere.
//
// It ends with such a mark. If records fail midway, the lines added so far
// stay, no mark is written, and the next Reconcile adds the rest.
func (l *Log) Reconcile(host string, records Records) (added int, err error) {
	now := l.options.Now()
	h, err := survey(l.path, now, l.opened)
	if err != nil {
		return 0, err
	}
	// Lines that this run could not write are in no file.
	l.mu.Lock()
	maps.Copy(h.open, l.open.ids)
	l.mu.Unlock()
	var lost []Entry
	add := func() error {
		if len(lost) == 0 {
			return nil
		}
		if err := l.append(lost); err != nil {
			return err
		}
		added += len(lost)
		lost = nil
		return nil
	}
	for r, err := range records(h.from()) {
		if err != nil {
			return added, fmt.Errorf("cannot read the store's request records: %w", err)
		}
		if r.Host != host || !h.lacks(r) {
			continue
		}
		h.answered[r.RequestID] = true
		if lost = append(lost, recovered(r)); len(lost) == mostAtOnce {
			if err := add(); err != nil {
				return added, err
			}
		}
	}
	if err := add(); err != nil {
		return added, err
	}
	l.mu.Lock()
	l.open.settle(h.stillOpen(now))
	l.mu.Unlock()
	return added, l.Complete()
}

func recovered(r account.Record) Entry {
	e := Entry{
		Event: Change, Outcome: OK, Recovered: true, CommittedAt: r.At.UTC(),
		Verb: r.Verb, Target: r.Target, RequestID: r.RequestID.String(), Changed: new(r.Changed),
	}
	switch {
	case r.Verb == account.VerbRecover:
		e.Detail = "by the operator"
	case r.Caller != "": // the first ADMIN is the host's own doing
		e.Caller = &Caller{Username: r.CallerName, AccountID: r.Caller}
	}
	return e
}
