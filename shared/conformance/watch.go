package conformance

import (
	"fmt"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	watchContract     = `the rpc Watch: it streams the changes of every account committed after it began, in order; changes of one account may be merged into the last`
	heartbeatContract = `WatchRequest.heartbeat, and rule 5 of docs/design.md: begin a linearizable read now; answer when all up to it is delivered`
	readContract      = `WatchRequest.read: usernames, at most 1000: answer each with a snapshot of the account as it is; one without an account id says that no account has the name`
)

// streamEnds is how long a stream may take to end.
const streamEnds = 10 * time.Second

var watchCases = []Case{
	{
		Name: "watch/delivers-every-change", Contract: watchContract, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			w := p.Watch()
			for _, m := range p.mutations() {
				target := "target-" + string(m.verb)
				m.prepare(p, target)
				c, err := m.ask(t.ctx, p, p.New(), target)
				t.OK(err, "%s", m.verb)
				w.learns(c.Snapshot(), "the "+string(m.verb))
			}
		},
	},
	{
		Name: "watch/delivers-deletions", Contract: `Snapshot.account_id: empty says that no account has the name: so comes a deletion`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			w := p.Watch()
			for range 3 {
				w.learns(p.delete("target").Snapshot(), "the deletion")
				a, _ := p.Create("target", account.User)
				w.learns(a.Snapshot(0), "the next account of that name")
			}
		},
	},
	{
		Name: "watch/snapshots-are-true", Contract: `the message Snapshot: the state of one account at a revision: that of the change, or newer`, Needs: needsChange,
		run: snapshotsAreTrue,
	},
	{
		Name: "watch/changes-come-in-order", Contract: watchContract, Needs: needsChange,
		run: changesComeInOrder,
	},
	{
		Name: "watch/heartbeat-comes-after-the-changes", Contract: heartbeatContract + `: a change that was answered before the request comes before the heartbeat`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			w := p.Watch()
			for n := range 40 {
				in := p.New()
				c, err := toggle(t.ctx, p, in, "target", "e", n)
				t.OK(err, "change an account")
				beat, snapshots := w.Beat(uint64(n + 1))
				if beat.Revision < c.Revision {
					t.Errorf("heartbeat %d is of revision %d, and a change had been answered with revision %d before it was asked for", n+1, beat.Revision, c.Revision)
				}
				if !slices.ContainsFunc(snapshots, func(s account.Snapshot) bool { return differ(s, c.Snapshot()) == "" }) {
					t.Errorf("heartbeat %d came before a change that had been answered before it was asked for", n+1)
				}
				if t.failed() {
					return
				}
			}
		},
	},
	{
		Name: "watch/heartbeats-come-in-order", Contract: heartbeatContract + `, in the order of the requests, with the number of each and the store's id; revisions do not go back`,
		run: heartbeatsComeInOrder,
	},
	{
		Name: "watch/requests-are-served-in-order", Contract: `the rpc Watch: it serves the host's requests in order`,
		run: func(t *T) {
			p := t.Open()
			w := p.Watch()
			for n := range uint64(10) {
				w.Send(account.WatchRequest{Read: []string{fmt.Sprintf("nobody-%d", n)}})
				w.Send(account.WatchRequest{Heartbeat: n + 1})
			}
			for n := range uint64(10) {
				e := w.Next("the answer to a read")
				if e.Snapshot == nil || e.Snapshot.Username != fmt.Sprintf("nobody-%d", n) {
					t.Fatalf("the answer to read %d came out of its turn: %+v", n, e)
				}
				e = w.Next("a heartbeat")
				if e.Heartbeat == nil || e.Heartbeat.Number != n+1 {
					t.Fatalf("heartbeat %d came out of its turn: %+v", n+1, e)
				}
			}
		},
	},
	{
		Name: "watch/read-tells-the-state", Contract: readContract,
		run: func(t *T) {
			p := t.Open()
			is := p.Show(p.Admin.Username)
			w := p.Watch()
			names := []string{p.Admin.Username, "nobody", "two words", "", "\x01", "é\u0301"}
			got := w.read(names...)
			for _, name := range names {
				want := account.Snapshot{Username: name}
				if name == is.Username {
					want = is.Snapshot(0)
				}
				if d := differ(got[name], want); d != "" {
					t.Errorf("the read of %q: %s", account.Printable(name), d)
				}
			}
		},
	},
	{
		Name: "watch/read-sees-what-was-answered", Contract: readContract + `: no older than any change that was answered before the request`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			w := p.Watch()
			for n := range 20 {
				c, err := toggle(t.ctx, p, p.New(), "target", "e", n)
				t.OK(err, "change an account")
				s := w.readOne("target", c.Revision)
				if d := differ(s, c.Snapshot()); d != "" {
					t.Fatalf("the read after change %d: %s", n+1, d)
				}
			}
			c := p.delete("target")
			if s := w.readOne("target", c.Revision); !s.Gone() {
				t.Errorf("the read after the deletion says that the account exists")
			}
		},
	},
	{
		Name: "watch/reads-a-thousand-names", Contract: readContract,
		run: func(t *T) {
			p := t.Open()
			w := p.Watch()
			names := []string{p.Admin.Username}
			for n := range account.MaxBatch - 1 {
				names = append(names, fmt.Sprintf("nobody-%d", n))
			}
			if got := w.read(names...); len(got) != len(names) || got[p.Admin.Username].ID != p.Admin.AccountID {
				t.Errorf("%d names were answered of %d, and the administrator's account id is %q", len(got), len(names), got[p.Admin.Username].ID)
			}
		},
	},
	{
		Name: "watch/refuses-more-than-a-thousand-names", Contract: readContract + `; more are INVALID_ARGUMENT`,
		run: func(t *T) {
			p := t.Open()
			w := p.Watch()
			w.Send(account.WatchRequest{Read: make([]string, account.MaxBatch+1)})
			_, over := w.until(1)
			if !over {
				t.Fatalf("a read of %d names did not end the stream", account.MaxBatch+1)
			}
			t.Refused(w.err, account.KindInvalid, "", "a read of %d names", account.MaxBatch+1)
			p.Watch().Close()
		},
	},
	{
		Name: "watch/two-streams-see-everything", Contract: watchContract + `, on every stream`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			both := []*Watch{p.Watch(), p.Watch()}
			for n := range 10 {
				c, err := toggle(t.ctx, p, p.New(), "target", "e", n)
				t.OK(err, "change an account")
				for i, w := range both {
					w.learns(c.Snapshot(), fmt.Sprintf("change %d, on stream %d", n+1, i+1))
				}
			}
			both[0].Close()
			both[1].learns(p.suspend("target").Snapshot(), "a change after the other stream was closed")
		},
	},
	{
		Name: "watch/slow-reader-loses-nothing", Contract: `the rpc Watch: a stream that falls behind ends with ABORTED; the host opens a new one and reads again. It never leaves changes out in silence`, Needs: needsChange,
		run: slowReader,
	},
	{
		Name: "watch/ends-when-the-host-has-no-more-requests", Contract: `the rpc Watch: when the host closes its side, the stream ends with OK`,
		run: func(t *T) {
			p := t.Open()
			w := p.Watch()
			close(w.Requests)
			select {
			case <-w.over:
				t.OK(w.err, "end the stream")
			case <-time.After(streamEnds):
				t.Errorf("the stream has not ended %s after the host closed its side", streamEnds)
			}
		},
	},
	{
		Name: "watch/may-be-cancelled-at-any-time", Contract: `the rpc Watch: a stream ends with its call, at whatever moment, and others go on`,
		run: func(t *T) {
			p := t.Open()
			standing := p.Watch()
			for n := range 60 {
				w := p.Watch()
				if n%2 == 0 {
					w.Send(account.WatchRequest{Read: []string{p.Admin.Username}, Heartbeat: 1})
				}
				w.Close()
			}
			standing.Beat(1)
		},
	},
	{
		Name: "watch/revisions-outlive-the-process", Contract: `the message Snapshot, and "revision" among the words of docs/design.md: revisions of one store only go up, restarts included`, Needs: needsDurable,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			var newest account.Revision
			for n, again := range []func(*Plugin) *Plugin{(*Plugin).Restart, (*Plugin).KillAndRestart, (*Plugin).Restart} {
				for k := range 5 {
					c, err := toggle(t.ctx, p, p.New(), "target", "e", n*5+k)
					t.OK(err, "change an account")
					if c.Revision <= newest {
						t.Fatalf("a change has revision %d, and an earlier one %d", c.Revision, newest)
					}
					newest = c.Revision
				}
				p = again(p)
				if beat, _ := p.Watch().Beat(1); beat.Revision < newest {
					t.Errorf("after a restart a heartbeat is of revision %d, and a change before it of %d", beat.Revision, newest)
				}
			}
		},
	},
}
