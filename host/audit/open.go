package audit

import (
	"maps"
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

// mostOpen bounds the ids in an audit_complete line. With more of them no such
// line is written, and the next start reads the log as if there had been none.
const mostOpen = 256

// openIDs are the request ids of changes that may have been committed and have
// no OK line: their outcome was not known, or their line could not be written.
type openIDs struct {
	ids      map[account.RequestID]bool
	overflow bool
	settled  bool // Reconcile has found out about those of earlier runs
}

func (o *openIDs) settle(ids map[account.RequestID]bool) {
	*o = openIDs{ids: ids, overflow: len(ids) > mostOpen, settled: true}
}

func (o *openIDs) add(id account.RequestID) {
	if o.ids == nil {
		o.ids = map[account.RequestID]bool{}
	}
	if !o.overflow {
		o.ids[id] = true
		o.overflow = len(o.ids) > mostOpen
	}
}

// note keeps the open ids up to date with a group that was written, or refused.
func (l *Log) note(g *group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing, l.failed, l.full = nil, l.broken, l.refused > 0
	for _, e := range g.entries {
		id, ok := changeID(e)
		switch {
		case !ok:
		case g.err != nil || uncertain(e):
			l.open.add(id)
		case e.Outcome == OK:
			delete(l.open.ids, id)
		}
	}
}

// changeID returns the request id of a change's line.
func changeID(e Entry) (account.RequestID, bool) {
	if e.Event != Change || e.RequestID == "" {
		return account.RequestID{}, false
	}
	id, err := account.ParseRequestID(e.RequestID)
	return id, err == nil
}

// uncertain reports whether a change may have been committed although its line
// does not say so. The other kinds are answers that commit nothing.
func uncertain(e Entry) bool {
	return slices.ContainsFunc(account.Kinds(), func(k account.Kind) bool {
		return k.Uncertain() && e.Outcome == k.String()
	})
}

// Complete marks the log as complete up to here: every change of this host
// that was committed has its line, but for the open ids that the mark lists.
// The next start then looks only behind the mark. The host calls it at a clean
// stop, once no change is under way and the last line is written; it writes
// nothing if Reconcile has not succeeded since Open.
func (l *Log) Complete() error {
	l.mu.Lock()
	marked := l.open.settled && !l.open.overflow
	var ids []string
	for id := range maps.Keys(l.open.ids) {
		ids = append(ids, id.String())
	}
	l.mu.Unlock()
	if !marked {
		return nil
	}
	slices.Sort(ids)
	return l.Append(Entry{Event: AuditComplete, Outcome: OK, Open: ids})
}
