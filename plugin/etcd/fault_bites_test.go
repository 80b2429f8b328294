package etcd_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/shared/account"
)

// made is a history that a test makes up, with what a load was told of it. A
// second passes with every revision.
type made struct {
	*history
	load  load
	found []string // what is wrong
}

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func second(n float64) time.Time { return epoch.Add(time.Duration(n * float64(time.Second))) }

// commit writes an account, unless it is nil, under a request id.
func (m *made) commit(at int64, id account.RequestID, verb account.Verb, name string, k *kept, admins int, raw ...string) {
	m.t.Helper()
	put := func(key string, v any) *clientv3.Event {
		value, err := json.Marshal(v)
		if err != nil {
			m.t.Fatal(err)
		}
		return &clientv3.Event{Kv: &mvccpb.KeyValue{Key: []byte(etcd.DefaultPrefix + key), Value: value, ModRevision: at}}
	}
	r := done{Caller: "admin's", CallerName: "admin", Verb: verb, Target: name, Changed: k != nil}
	events := []*clientv3.Event{put("meta/admins", admins)}
	if k != nil {
		r.AccountID, r.Generation = k.ID, k.Generation
		events = append(events, put("accounts/"+name, k))
	}
	if !slices.Contains(raw, "unrecorded") {
		events = append(events, put("requests/"+id.String(), r))
	}
	m.history.commit(at, events)
}

// told writes down that a change was asked for and answered.
func (m *made) told(id account.RequestID, verb account.Verb, name string, began, ended float64, acknowledged bool) {
	m.load.note(asked{id: id, verb: verb, target: name, began: second(began), ended: second(ended), acknowledged: acknowledged})
}

func (m *made) looked(k kept, began, ended float64) {
	m.load.look(looked{what: "shown", target: "jeff", began: second(began), ended: second(ended), found: k.state()})
}

// TestFaultChecksBite shows that the checks find what they are for.
func TestFaultChecksBite(t *testing.T) {
	t.Parallel()
	admin := kept{ID: "admin's", Generation: 1, Role: account.Admin, Enabled: true}
	jeff := kept{ID: "jeff's", Generation: 1, Role: account.User, Enabled: true}
	suspended := jeff
	suspended.Generation, suspended.Enabled = 2, false
	var ids []account.RequestID
	for n := range 4 {
		ids = append(ids, account.NewRequestID(epoch.Add(time.Duration(n))))
	}
	for name, c := range map[string]struct {
		then func(m *made)
		want string
	}{
		"Fine": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 3.5, true)
			m.told(ids[3], account.VerbSuspend, "jeff", 2.5, 3.5, false)
			m.looked(jeff, 2.2, 2.4)
			m.looked(jeff, 2.6, 3.4)
			m.looked(suspended, 2.6, 3.4)
			m.looked(suspended, 4, 5)
			m.looked(kept{}, 0, 1)
		}, ""},
		"Lost": {func(m *made) {
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 3.5, true)
		}, "took effect 0 times"},
		"Twice": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
			m.commit(4, ids[2], account.VerbSuspend, "jeff", nil, 1)
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 4.5, true)
		}, "took effect 2 times"},
		"Refused": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 3.5, false)
		}, "took effect 1 times (acknowledged: false)"},
		"NobodyAsked": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
		}, "nobody asked for"},
		"AnotherThing": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
			m.told(ids[2], account.VerbEnable, "jeff", 2.5, 3.5, true)
		}, "is recorded as suspend"},
		"Unrecorded": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1, "unrecorded")
		}, "without a record"},
		"OutOfOrder": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
			m.commit(4, ids[3], account.VerbSuspend, "jeff", nil, 1)
			m.told(ids[2], account.VerbSuspend, "jeff", 6, 7, true)
			m.told(ids[3], account.VerbSuspend, "jeff", 4, 5, true)
		}, "came at revision 3, after 4"},
		"StaleRead": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 3.5, true)
			m.looked(jeff, 3.6, 3.7)
		}, "was that no more: revision 3"},
		"EarlyRead": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 1)
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 3.5, true)
			m.looked(suspended, 2.1, 2.4)
		}, "it became that later"},
		"InventedRead": {func(m *made) { m.looked(suspended, 2.1, 2.4) }, "it never was that"},
		"NoAdmin": {func(m *made) {
			fallen := admin
			fallen.Enabled, fallen.Generation = false, 2
			m.commit(3, ids[2], account.VerbSuspend, "admin", &fallen, 0)
			m.told(ids[2], account.VerbSuspend, "admin", 2.5, 3.5, true)
		}, "leaves 0 enabled ADMINs"},
		"WrongCounter": {func(m *made) {
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 2)
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 3.5, true)
		}, "a counter of 2"},
		"NotRaised": {func(m *made) {
			same := suspended
			same.Generation = 1
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &same, 1)
			m.told(ids[2], account.VerbSuspend, "jeff", 2.5, 3.5, true)
		}, "'jeff' went from"},
		"ByNobody": {func(m *made) {
			other := emptyHistory(t)
			other.wrong = m.wrong
			other.is["admin"] = suspended
			m.history = other
			m.commit(3, ids[2], account.VerbSuspend, "jeff", &suspended, 0)
		}, "who was no enabled ADMIN"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &made{history: emptyHistory(t)}
			m.wrong = func(format string, args ...any) { m.found = append(m.found, fmt.Sprintf(format, args...)) }
			m.commit(1, ids[0], account.VerbInitialize, "admin", &admin, 1)
			m.told(ids[0], account.VerbInitialize, "admin", 0.5, 1.5, true)
			m.commit(2, ids[1], account.VerbCreate, "jeff", &jeff, 1)
			m.told(ids[1], account.VerbCreate, "jeff", 1.6, 2, true)
			c.then(m)
			m.judge(&m.load)
			if found := strings.Join(m.found, "\n"); c.want == "" && found != "" || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}
