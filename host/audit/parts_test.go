package audit_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// A start reads a long file from its end, and no further than it must: a change
// without a line gets one, and those that have one, wherever it is in the file,
// get no other. Here the clock had been ahead and was set back when the file was
// young, so that lines at its beginning are as new as those at its end.
func TestReconcileLongFile(t *testing.T) {
	w := newWorld(t)
	closeLog(t, w.log)
	end := noon.Add(-time.Minute)
	var data []byte
	write := func(at time.Time, event audit.Event, id string) {
		data = fmt.Appendf(data, `{"time":%q,"seq":%d,"event":%q,"outcome":"ok","verb":"suspend","target":"jeff","request_id":%q}`+"\n",
			at.Format(time.RFC3339Nano), len(data)+1, event, id)
	}
	has := func(at time.Time) {
		w.now = at
		write(at, audit.Change, w.commit("has a line").String())
	}
	for range 100 {
		has(end)
	}
	const lines = 20_000
	for i := range lines {
		at := end.Add(time.Duration(i-lines) * 3 * time.Second)
		if i%10 == 0 {
			has(at)
		} else {
			write(at, audit.Change, account.NewRequestID(at).String())
		}
	}
	write(end, audit.AuditComplete, "")
	if len(data) < 2<<20 {
		t.Fatalf("the file has %d bytes, and is not long", len(data))
	}
	if err := os.WriteFile(w.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.now = end
	w.commit("lost")
	w.now = noon
	w.log = open(t, w.path, w.options)
	added, err := w.log.Reconcile(thisHost, w.iterate)
	if err != nil || added != 1 {
		t.Errorf("%d lines were added (%v), want that of the one change that had none", added, err)
	}
}
