package audit_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// world is a host with a log and a store's request records, by a clock of its
// own. Its log is closed at the end, and must then be numbered without a gap.
type world struct {
	*testing.T
	path    string
	now     time.Time
	options audit.Options
	log     *audit.Log
	records []account.Record
	from    account.RequestID // where the last Reconcile began
	fail    error
}

const thisHost = "this"

func newWorld(t *testing.T) *world {
	w := &world{T: t, path: newPath(t), now: noon}
	w.options.Now = func() time.Time { return w.now }
	w.log = open(t, w.path, w.options)
	t.Cleanup(func() { closeLog(t, w.log) })
	return w
}

// restart is a crash and a new start, up to Reconcile.
func (w *world) restart() {
	w.Helper()
	closeLog(w, w.log)
	w.log = open(w, w.path, w.options)
}

func (w *world) commit(target string) account.RequestID {
	id := account.NewRequestID(w.now)
	w.records = append(w.records, account.Record{
		RequestID: id, Host: thisHost, Caller: "c1", CallerName: "admin", Verb: account.VerbSuspend, Target: target,
		Changed: true, AccountID: "a1", Generation: 2, At: w.now,
	})
	return id
}

func (w *world) line(id account.RequestID, err error) {
	w.Helper()
	outcome, reason := audit.Outcome(err)
	add(w, w.log, audit.Entry{Event: audit.Change, Outcome: outcome, Reason: reason, RequestID: id.String()})
}

// iterate serves the store's records as a plugin does.
func (w *world) iterate(after account.RequestID) iter.Seq2[account.Record, error] {
	w.from = after
	return func(yield func(account.Record, error) bool) {
		slices.SortFunc(w.records, func(a, b account.Record) int { return strings.Compare(a.RequestID.String(), b.RequestID.String()) })
		for _, r := range w.records {
			if r.RequestID.String() > after.String() && !yield(r, nil) {
				return
			}
		}
		if w.fail != nil {
			yield(account.Record{}, w.fail)
		}
	}
}

// reconcile checks which targets get a recovered line.
func (w *world) reconcile(want ...string) {
	w.Helper()
	before := len(read(w, w.path))
	added, err := w.log.Reconcile(thisHost, w.iterate)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, e := range read(w, w.path)[before:] {
		if e.Recovered {
			got = append(got, e.Target)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || added != len(want) {
		w.Errorf("added %d, want %d: %s", added, len(want), diff)
	}
}

func (w *world) marks() (n int) {
	for _, e := range read(w, w.path) {
		if e.Event == audit.AuditComplete {
			n++
		}
	}
	return n
}

func (w *world) complete() {
	w.Helper()
	if err := w.log.Complete(); err != nil {
		w.Fatal(err)
	}
}

func TestReconcile(t *testing.T) {
	w := newWorld(t)
	w.reconcile()
	w.line(w.commit("written"), nil)
	lost := w.commit("lost")
	w.now = w.now.Add(time.Minute)
	w.restart()
	w.reconcile("lost")
	all := read(t, w.path)
	got := all[len(all)-2]
	want := audit.Entry{
		Time: w.now, Seq: got.Seq, Event: audit.Change, Outcome: audit.OK, Verb: account.VerbSuspend, Target: "lost",
		Caller: &audit.Caller{Username: "admin", AccountID: "c1"}, RequestID: lost.String(), Changed: new(true),
		Recovered: true, CommittedAt: noon,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.restart()
	w.reconcile() // once only
}

// A host that was down for longer than records live has its lines all the same,
// and lines of its new start before.
func TestReconcileAfterAWeek(t *testing.T) {
	w := newWorld(t)
	w.commit("before what the log can tell of")
	w.now = w.now.Add(account.RecordLifetime + 2*account.RequestLifetime)
	w.reconcile()
	w.line(w.commit("written"), nil)
	w.commit("lost")
	w.now = w.now.Add(7 * 24 * time.Hour)
	w.restart()
	add(t, w.log, audit.Entry{Event: audit.PluginStarted, Outcome: audit.OK})
	w.reconcile("lost")
	w.restart()
	w.reconcile()
}

// What no account asked for names none.
func TestReconcileOfNoCaller(t *testing.T) {
	w := newWorld(t)
	for _, verb := range []account.Verb{account.VerbInitialize, account.VerbRecover} {
		w.now = w.now.Add(time.Second) // so that the ids are in order
		w.commit(string(verb))
		r := &w.records[len(w.records)-1]
		r.Verb, r.Caller, r.CallerName = verb, "", ""
	}
	w.reconcile("initialize", "recover")
	all := read(t, w.path)
	made, recovered := all[len(all)-3], all[len(all)-2]
	if made.Caller != nil || made.Detail != "" || recovered.Caller != nil || recovered.Detail != "by the operator" {
		t.Errorf("the log says %+v and %+v", made, recovered)
	}
}

func TestReconcileAfterOutcomes(t *testing.T) {
	w := newWorld(t)
	for _, kind := range account.Kinds() {
		// A record says that the change was committed, whatever came of an
		// attempt under the same id.
		w.line(w.commit(kind.String()), &account.Error{Kind: kind, Message: "x"})
	}
	id := w.commit("answered later")
	w.line(id, account.OutcomeUnknown(id))
	w.line(id, nil)
	w.line(account.NewRequestID(w.now), account.Unavailable("no record of this")) // never committed
	w.restart()
	var want []string
	for _, r := range w.records[:len(w.records)-1] {
		want = append(want, r.Target)
	}
	added, err := w.log.Reconcile(thisHost, w.iterate)
	if err != nil || added != len(want) {
		t.Errorf("added %d, %v; want %d", added, err, len(want))
	}
}

func TestReconcileOtherHosts(t *testing.T) {
	w := newWorld(t)
	w.commit("elsewhere")
	w.records[0].Host = "other"
	w.reconcile()
}

// A change of unknown outcome before a clean stop may turn out to have been
// committed; the mark names it.
func TestReconcileAcrossMark(t *testing.T) {
	w := newWorld(t)
	w.reconcile()
	unknown, never := w.commit("unknown"), account.NewRequestID(w.now)
	w.line(unknown, account.OutcomeUnknown(unknown))
	w.line(never, account.OutcomeUnknown(never))
	w.line(w.commit("written"), nil)
	w.complete()
	w.now = w.now.Add(6 * time.Hour)
	w.restart()
	w.reconcile("unknown")
	if w.from.Time().After(noon) {
		t.Errorf("asked for records from %s on", w.from.Time())
	}
	// The other one stays open until its record would be gone.
	w.now = w.now.Add(6 * time.Hour)
	w.restart()
	w.reconcile()
	if w.from.Time().After(noon) {
		t.Errorf("asked for records from %s on", w.from.Time())
	}
	w.now = w.now.Add(14 * time.Hour)
	w.restart()
	w.reconcile()
	w.restart()
	w.reconcile()
	if limit := w.now.Add(-2 * time.Hour); w.from.Time().Before(limit) {
		t.Errorf("still asks for records from %s on", w.from.Time())
	}
}

// After a mark neither old lines nor old records are read.
func TestReconcileStartsAtMark(t *testing.T) {
	w := newWorld(t)
	w.options.MaxSize = 500
	w.restart()
	w.reconcile()
	for range 10 {
		w.line(w.commit("old"), nil)
		w.now = w.now.Add(time.Hour)
	}
	w.complete()
	old := files(t, w.path)
	w.now = w.now.Add(time.Hour)
	w.commit("lost")
	for _, name := range old[1 : len(old)-1] { // the first is the current one
		if err := os.WriteFile(name, []byte("not to be read\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	closeLog(t, w.log)
	w.log = open(t, w.path, w.options)
	added, err := w.log.Reconcile(thisHost, w.iterate)
	if err != nil || added != 1 {
		t.Errorf("added %d, %v; want 1", added, err)
	}
	if limit := w.now.Add(-3 * time.Hour); w.from.Time().Before(limit) {
		t.Errorf("asked for records from %s on", w.from.Time())
	}
	for _, name := range old[1 : len(old)-1] {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReconcileWithoutMark(t *testing.T) {
	w := newWorld(t)
	w.commit("a day ago")
	w.now = w.now.Add(23 * time.Hour)
	w.line(w.commit("written"), nil)
	w.commit("lost")
	w.complete() // no Reconcile before: no mark
	if w.marks() != 0 {
		t.Error("a mark without Reconcile")
	}
	w.restart()
	w.reconcile("a day ago", "lost")
}

// What Keep removed was there once, and is not added again.
func TestReconcileAfterRemoval(t *testing.T) {
	w := newWorld(t)
	w.options.MaxSize, w.options.Keep = 1, 3
	w.restart()
	for i := range 10 {
		w.line(w.commit(fmt.Sprint(i)), nil)
		w.now = w.now.Add(time.Minute)
	}
	w.commit("lost")
	w.options.MaxSize = 0
	w.restart()
	w.reconcile("lost")
}

// A log that was taken away altogether is filled again.
func TestReconcileEmptyLog(t *testing.T) {
	w := newWorld(t)
	w.line(w.commit("a"), nil)
	closeLog(t, w.log)
	if err := os.Remove(w.path); err != nil {
		t.Fatal(err)
	}
	w.log = open(t, w.path, w.options)
	w.reconcile("a")
}

func TestReconcileClockSetBack(t *testing.T) {
	w := newWorld(t)
	w.now = noon.Add(48 * time.Hour) // wrong until the network is up
	w.reconcile()
	w.now = noon
	w.commit("lost")
	w.now = noon.Add(time.Minute)
	w.restart()
	w.reconcile("lost")
}

func TestReconcileFails(t *testing.T) {
	w := newWorld(t)
	w.commit("a")
	w.fail = errors.New("the plugin is gone")
	added, err := w.log.Reconcile(thisHost, w.iterate)
	if added != 0 || !errors.Is(err, w.fail) || w.marks() != 0 {
		t.Errorf("added %d, %v, %d marks", added, err, w.marks())
	}
	w.complete()
	if w.marks() != 0 {
		t.Error("a mark after Reconcile failed")
	}
	w.fail = nil
	w.reconcile("a")
}

// More open ids than a line holds: no mark says that the log is complete.
func TestReconcileManyOpen(t *testing.T) {
	w := newWorld(t)
	w.reconcile()
	for range 300 {
		id := account.NewRequestID(w.now)
		w.line(id, account.OutcomeUnknown(id))
	}
	unknown := w.commit("unknown")
	w.line(unknown, account.OutcomeUnknown(unknown))
	w.complete()
	if w.marks() != 1 {
		t.Errorf("%d marks, want that of Reconcile only", w.marks())
	}
	w.now = w.now.Add(time.Hour)
	w.restart()
	w.reconcile("unknown")
}

// A line that the disk refused leaves its id open.
func TestReconcileAfterDiskFull(t *testing.T) {
	w := newWorld(t)
	f := &fault{}
	w.options.OpenFile = func(path string) (audit.File, error) {
		real, err := disk(path)
		return faulty{real, f}, err
	}
	w.restart()
	w.reconcile()
	id := w.commit("refused by the disk")
	f.write = errNoSpace
	if err := w.log.Append(audit.Entry{Event: audit.Change, Outcome: audit.OK, RequestID: id.String()}); err == nil {
		t.Error("a full disk took the line")
	}
	f.write = nil
	w.now = w.now.Add(time.Hour)
	w.complete()
	w.restart()
	w.reconcile("refused by the disk")
}

func TestReconcileMany(t *testing.T) {
	w := newWorld(t)
	for i := range 1000 {
		w.commit(fmt.Sprint(i))
	}
	added, err := w.log.Reconcile(thisHost, w.iterate)
	if err != nil || added != 1000 {
		t.Errorf("added %d, %v", added, err)
	}
	seen := map[string]bool{}
	for _, e := range read(t, w.path) {
		if e.Recovered {
			seen[e.RequestID] = true
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d ids", len(seen))
	}
}
