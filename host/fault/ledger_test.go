package fault_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// ledger is what the audit log says of changes, read on as it grows.
type ledger struct {
	path    string
	reached int64
	seq     uint64
	of      map[string]*entries // by request id
}

// entries are the lines that say that one change took effect.
type entries struct {
	asked   *call // nil: nobody
	fresh   int   // told when it took effect
	late    int   // added at a start
	again   int   // told again from the record
	changed map[bool]int
}

func newLedger(path string) *ledger { return &ledger{path: path, of: map[string]*entries{}} }

func (l *ledger) entry(id string) *entries {
	if l.of[id] == nil {
		l.of[id] = &entries{changed: map[bool]int{}}
	}
	return l.of[id]
}

// read reads the whole lines that were added.
func (l *ledger) read(wrong func(string, ...any)) {
	file, err := os.Open(l.path)
	if err != nil {
		wrong("the audit log: %v", err)
		return
	}
	defer file.Close()
	added, err := io.ReadAll(io.NewSectionReader(file, l.reached, 1<<62))
	if err != nil {
		wrong("the audit log: %v", err)
		return
	}
	for {
		line, rest, whole := bytes.Cut(added, []byte("\n"))
		if !whole {
			return
		}
		l.reached += int64(len(line)) + 1
		added = rest
		var e audit.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			wrong("the audit log, behind line %d: %v", l.seq, err)
			continue
		}
		if e.Seq != l.seq+1 {
			wrong("line %d of the audit log follows line %d", e.Seq, l.seq)
		}
		l.seq = e.Seq
		l.enter(e)
	}
}

func (l *ledger) enter(e audit.Entry) {
	if e.Event != audit.Change || e.Outcome != audit.OK || e.Verb == account.VerbInitialize {
		return
	}
	of := l.entry(e.RequestID)
	switch {
	case strings.HasPrefix(e.Detail, "repeated:"):
		of.again++
	case e.Recovered:
		of.late++
	default:
		of.fresh++
	}
	of.changed[e.Changed != nil && *e.Changed]++
}

// judge holds calls that were answered against their lines: what was
// acknowledged has its line, and what was refused has none (rules 2 and 12).
func (l *ledger) judge(calls []*call, wrong func(string, ...any)) {
	for _, c := range calls {
		if !c.changes() {
			continue
		}
		of := l.entry(c.id.String())
		if c.of == nil {
			of.asked = c
		}
		lines := of.fresh + of.late + of.again
		switch {
		case c.unknown || c.of != nil:
		case c.err == nil && (lines == 0 || of.changed[!c.changed] > 0):
			wrong("acknowledged, and the audit log has %d lines that say so, %d of them another outcome:\n%v", lines, of.changed[!c.changed], c)
		case c.err != nil && lines > 0:
			wrong("refused, and the audit log has %d lines that it took effect:\n%v", lines, c)
		}
		// The first answer is from the record if it came after the line.
		c.repeated = c.err == nil && c.of == nil && (of.fresh == 0 || c.tries > 1 && of.again > 0)
	}
}

// finish holds all lines against all calls: nothing took effect twice, and
// nothing that nobody asked for.
func (l *ledger) finish(wrong func(string, ...any)) {
	for id, of := range l.of {
		switch {
		case of.asked == nil:
			wrong("nobody asked for the change %s, which the audit log tells of", id)
		case of.fresh+of.late > 1:
			wrong("the audit log says %d times that it took effect (%d of them at a start):\n%v", of.fresh+of.late, of.late, of.asked)
		}
	}
}
