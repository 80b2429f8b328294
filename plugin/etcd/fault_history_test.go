package etcd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/shared/account"
)

// history is what etcd itself says became of the store, commit by commit: the
// truth that everybody's answers are held against.
type history struct {
	t       *testing.T
	wrong   func(format string, args ...any)
	client  *clientv3.Client
	reached int64

	is     map[string]kept      // the accounts now
	admins int                  // the counter's value now
	counts bool                 // there is a counter
	of     map[string][]version // each account's, oldest first
	done   map[string][]done    // by request id
}

// kept is what the store keeps of an account, as far as a check needs it.
type kept struct {
	ID         account.ID         `json:"id"`
	Generation account.Generation `json:"generation"`
	Role       account.Role       `json:"role"`
	Enabled    bool               `json:"enabled"`
	Hash       string             `json:"hash"`
	Grants     account.Grants     `json:"grants"`
}

func (k kept) administers() bool { return k.Enabled && k.Role == account.Admin }
func (k kept) state() state      { return stateOf(k.ID, k.Generation, k.Role, k.Enabled, k.Grants) }

type version struct {
	revision int64
	by       string // the request id
	state    state
}

// done is a request record, and when it was written.
type done struct {
	revision   int64
	Caller     account.ID         `json:"caller"`
	CallerName string             `json:"caller_name"`
	Verb       account.Verb       `json:"verb"`
	Target     string             `json:"target"`
	Changed    bool               `json:"changed"`
	AccountID  account.ID         `json:"account_id"`
	Generation account.Generation `json:"generation"`
}

func newHistory(t *testing.T, endpoints []string) *history {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	h := emptyHistory(t)
	h.client = client
	return h
}

func emptyHistory(t *testing.T) *history {
	return &history{t: t, wrong: t.Errorf, is: map[string]kept{}, of: map[string][]version{}, done: map[string][]done{}}
}

// read follows the store from where it was left to what is committed now.
func (h *history) read() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), soonEnough)
	defer cancel()
	now, err := h.client.Get(ctx, "none")
	if err != nil {
		h.t.Fatalf("read the history: %v", err)
	}
	if now.Header.Revision <= h.reached {
		return
	}
	// Progress is told only when nothing is left; what comes after it is not
	// waited for.
	changes := h.client.Watch(clientv3.WithRequireLeader(ctx), etcd.DefaultPrefix, clientv3.WithPrefix(),
		clientv3.WithRev(h.reached+1), clientv3.WithPrevKV(), clientv3.WithProgressNotify())
	asking := time.NewTicker(10 * time.Millisecond)
	defer asking.Stop()
	for h.reached < now.Header.Revision {
		select {
		case r := <-changes:
			if err := r.Err(); err != nil {
				h.t.Fatalf("read the history: %v", err)
			}
			if r.IsProgressNotify() {
				h.reached = max(h.reached, r.Header.Revision)
				continue
			}
			for len(r.Events) > 0 {
				at := r.Events[0].Kv.ModRevision
				n := slices.IndexFunc(r.Events, func(e *clientv3.Event) bool { return e.Kv.ModRevision != at })
				if n < 0 {
					n = len(r.Events)
				}
				h.commit(at, r.Events[:n])
				r.Events = r.Events[n:]
				h.reached = at
			}
		case <-asking.C:
			h.client.RequestProgress(clientv3.WithRequireLeader(ctx))
		case <-ctx.Done():
			h.t.Fatalf("the history could not be read within %v", soonEnough)
		}
	}
}

// commit checks one commit: what it changed, by whom, and what it left.
func (h *history) commit(at int64, events []*clientv3.Event) {
	h.t.Helper()
	var record *done
	var by string
	changed := map[string]kept{}
	for _, e := range events {
		space, name, _ := strings.Cut(strings.TrimPrefix(string(e.Kv.Key), etcd.DefaultPrefix), "/")
		switch space {
		case "requests":
			if record != nil || e.Type == clientv3.EventTypeDelete {
				h.wrong("revision %d: a record too many, or deleted", at)
				continue
			}
			record, by = &done{revision: at}, name
			h.decode(at, e.Kv.Value, record)
			h.done[name] = append(h.done[name], *record)
		case "accounts":
			var k kept
			if e.Type != clientv3.EventTypeDelete {
				h.decode(at, e.Kv.Value, &k)
			}
			changed[name] = k
		case "meta":
			if name == "admins" {
				h.counts = true
				h.decode(at, e.Kv.Value, &h.admins)
			}
		}
	}
	if record != nil {
		h.checkCommit(at, record, changed)
	}
	for name, k := range changed {
		if record == nil || name != record.Target {
			h.wrong("revision %d: '%s' was changed, without a record that says so", at, name)
		}
		if h.is[name] = k; k.ID == "" {
			delete(h.is, name)
		}
		h.of[name] = append(h.of[name], version{at, by, k.state()})
	}
	enabled := 0
	for _, k := range h.is {
		if k.administers() {
			enabled++
		}
	}
	if h.counts && (enabled == 0 || enabled != h.admins) {
		h.wrong("revision %d leaves %d enabled ADMINs, and a counter of %d", at, enabled, h.admins)
	}
}

// checkCommit holds a commit against its own record and against the state
// before it.
func (h *history) checkCommit(at int64, r *done, changed map[string]kept) {
	h.t.Helper()
	is, was := changed[r.Target], h.is[r.Target]
	if (len(changed) > 0) != r.Changed {
		h.wrong("revision %d: the record says that changed is %v, of %d accounts", at, r.Changed, len(changed))
	}
	caller := h.is[r.CallerName]
	if r.Verb != account.VerbInitialize && (caller.ID != r.Caller || !caller.administers()) {
		h.wrong("revision %d: a change by '%s', who was no enabled ADMIN then", at, r.CallerName)
	}
	if !r.Changed || is.ID == "" {
		return
	}
	want := was.Generation
	if was.ID == "" || was.Role != is.Role || was.Enabled != is.Enabled || was.Hash != is.Hash {
		want++
	}
	if is.Generation != want || is.Generation != r.Generation || is.ID != r.AccountID || was.ID != "" && was.ID != is.ID {
		h.wrong("revision %d: '%s' went from %+v to %+v, recorded as %+v", at, r.Target, was.state(), is.state(), *r)
	}
}

func (h *history) decode(at int64, value []byte, into any) {
	h.t.Helper()
	if err := json.NewDecoder(bytes.NewReader(value)).Decode(into); err != nil {
		h.wrong("revision %d: %v", at, err)
	}
}

// check holds what a load was told against what there is. Every change that was
// acknowledged took effect once, every one that was refused never did, and both
// changes and reads can be put into one order that agrees with the clock.
func (h *history) check(l *load) {
	h.t.Helper()
	h.read()
	h.judge(l)
	h.t.Logf("%d changes, %d of them acknowledged, %d reads, up to revision %d", len(l.asked), l.acknowledged.Load(), len(l.looks), h.reached)
}

// judge is check of what has been read.
func (h *history) judge(l *load) {
	h.t.Helper()
	asked := map[string]asked{}
	for _, a := range l.asked {
		asked[a.id.String()] = a
		want := 0
		if a.acknowledged {
			want = 1
		}
		records := h.done[a.id.String()]
		if len(records) != want {
			h.wrong("%s '%s' took effect %d times (acknowledged: %v)", a.verb, a.target, len(records), a.acknowledged)
		}
		for _, r := range records {
			if r.Verb != a.verb || r.Target != a.target {
				h.wrong("%s '%s' is recorded as %s '%s'", a.verb, a.target, r.Verb, r.Target)
			}
		}
	}
	for id, records := range h.done {
		if _, ok := asked[id]; !ok {
			h.wrong("nobody asked for %+v", records)
		}
	}
	h.checkOrder(l.asked)
	stale := 0
	for _, r := range l.looks {
		if why := h.impossible(r, asked); why != "" {
			if stale++; stale <= 5 {
				h.wrong("'%s' was %s as %+v, between %v and %v later: %s", r.target, r.what, r.found, r.began.Format("05.000000"), r.ended.Sub(r.began), why)
			}
		}
	}
}

// checkOrder finds changes that were asked for after others had been
// acknowledged, and yet came before them.
func (h *history) checkOrder(all []asked) {
	h.t.Helper()
	all = slices.DeleteFunc(slices.Clone(all), func(a asked) bool { return len(h.done[a.id.String()]) != 1 })
	byBegin, byEnd := slices.Clone(all), all
	slices.SortFunc(byBegin, func(a, b asked) int { return a.began.Compare(b.began) })
	slices.SortFunc(byEnd, func(a, b asked) int { return a.ended.Compare(b.ended) })
	var before int64 // the newest revision that was acknowledged before
	for _, a := range byBegin {
		for len(byEnd) > 0 && byEnd[0].ended.Before(a.began) {
			before = max(before, h.done[byEnd[0].id.String()][0].revision)
			byEnd = byEnd[1:]
		}
		if at := h.done[a.id.String()][0].revision; at <= before {
			h.wrong("%s '%s' came at revision %d, after %d had been acknowledged", a.verb, a.target, at, before)
		}
	}
}

// impossible says why a read cannot have taken place when it did, if so: what
// it found must have been there, not yet replaced by anything that had been
// acknowledged before the read began, nor made by what was asked for only after
// the read had ended.
func (h *history) impossible(r looked, by map[string]asked) string {
	versions := append([]version{{}}, h.of[r.target]...)
	why := "it never was that"
	for i, v := range slices.Backward(versions) {
		if v.state == r.found && (i == 0 || !by[v.by].began.After(r.ended)) {
			return ""
		} else if v.state == r.found {
			why = "it became that later"
		}
		if i > 0 && by[v.by].ended.Before(r.began) {
			return why + fmt.Sprintf(", or was that no more: revision %d had been acknowledged", v.revision)
		}
	}
	return why
}
