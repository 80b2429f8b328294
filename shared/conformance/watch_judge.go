package conformance

import (
	"fmt"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// differ says in what a snapshot is not as wanted. Its revision may be newer.
func differ(got, want account.Snapshot) string {
	var all []string
	add := func(field string, same bool, got, want any) {
		if !same {
			all = append(all, fmt.Sprintf("%s is %v, want %v", field, got, want))
		}
	}
	add("username", got.Username == want.Username, account.Printable(got.Username), account.Printable(want.Username))
	add("account id", got.ID == want.ID, got.ID, want.ID)
	if !want.Gone() && !got.Gone() {
		add("generation", got.Generation == want.Generation, got.Generation, want.Generation)
		add("role", got.Role == want.Role, got.Role, want.Role)
		add("enabled", got.Enabled == want.Enabled, got.Enabled, want.Enabled)
		add("grants", sameGrants(got.Grants, want.Grants), got.Grants, want.Grants)
	}
	add("revision", got.Revision >= want.Revision, got.Revision, fmt.Sprintf("%d or newer", want.Revision))
	return strings.Join(all, "; ")
}

// lostAfter is how long after a heartbeat a change counts as late; then it
// counts as lost.
const lostAfter = 2 * time.Second

// learns waits for a snapshot as wanted, and ends the case if it does not come
// though heartbeats do.
func (w *Watch) learns(want account.Snapshot, what string) {
	w.learned++
	w.Send(account.WatchRequest{Heartbeat: w.learned})
	var after <-chan time.Time
	for {
		select {
		case e := <-w.events:
			switch {
			case e.Snapshot != nil && e.Snapshot.Username == want.Username && differ(*e.Snapshot, want) == "":
				return
			case e.Heartbeat != nil && e.Heartbeat.Number == w.learned:
				after = time.After(lostAfter)
			}
		case <-w.over:
			w.t.Fatalf("the watch ended while the case waited for %s: %s", what, describe(w.err))
		case <-after:
			w.t.Fatalf("%s did not come, though a heartbeat did that was asked for later", what)
		case <-time.After(watchBound):
			w.t.Fatalf("%s did not come within %s, and no heartbeat either", what, watchBound)
		case <-w.t.ctx.Done():
			w.t.Fatalf("the case's time ran out, waiting for %s", what)
		}
	}
}

// until takes what comes before the heartbeat, or before the end of the stream.
func (w *Watch) until(number uint64) (snapshots []account.Snapshot, over bool) {
	select {
	case w.Requests <- account.WatchRequest{Heartbeat: number}:
	case <-w.over:
	}
	for {
		select {
		case e := <-w.events:
			switch {
			case e.Snapshot != nil:
				snapshots = append(snapshots, *e.Snapshot)
			case e.Heartbeat != nil && e.Heartbeat.Number == number:
				return snapshots, false
			}
		case <-w.over:
			return snapshots, true
		case <-w.t.ctx.Done():
			w.t.Fatalf("the case's time ran out, waiting for heartbeat %d or the end of the stream", number)
		}
	}
}

// read asks for the names and returns the answers. It is for cases in which no
// account changes meanwhile.
func (w *Watch) read(names ...string) map[string]account.Snapshot {
	w.learned++
	w.Beat(w.learned) // what was to come from before has come
	w.learned++
	w.Send(account.WatchRequest{Read: names})
	_, snapshots := w.Beat(w.learned)
	got := map[string]account.Snapshot{}
	for _, s := range snapshots {
		if _, twice := got[s.Username]; twice {
			w.t.Errorf("the read of %d names answered %q twice", len(names), account.Printable(s.Username))
		}
		got[s.Username] = s
	}
	for _, name := range names {
		if _, ok := got[name]; !ok {
			w.t.Fatalf("the read of %d names left %q out", len(names), account.Printable(name))
		}
	}
	return got
}

// readOne asks for one account and returns the newest snapshot of it that came
// until then, which is at least of that revision.
func (w *Watch) readOne(name string, since account.Revision) (newest account.Snapshot) {
	w.learned++
	w.Send(account.WatchRequest{Read: []string{name}})
	_, snapshots := w.Beat(w.learned)
	found := false
	for _, s := range snapshots {
		if s.Username == name && s.Revision >= newest.Revision {
			newest, found = s, true
		}
	}
	if !found {
		w.t.Fatalf("the read of %q was not answered", account.Printable(name))
	}
	if newest.Revision < since {
		w.t.Errorf("the read of %q was answered as of revision %d, and revision %d had been answered before", account.Printable(name), newest.Revision, since)
	}
	return newest
}
