package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cinchapi/concourse-users/shared/account"
)

func snapshotsAreTrue(t *T) {
	p := t.Open()
	p.Create("target", account.User)
	w := p.Watch()
	for n, step := range []func() account.Change{
		func() account.Change { return p.grant("target", "a", account.Read) },
		func() account.Change { return p.grant("target", "a", account.Write) },
		func() account.Change { return p.grant("target", "b", account.Write) },
		func() account.Change { return p.revoke("target", "a") },
		func() account.Change { return p.suspend("target") },
		func() account.Change { return p.enable("target") },
		func() account.Change { return p.edit(account.Edit{Username: "target", Role: account.Admin}) },
		func() account.Change {
			return p.edit(account.Edit{Username: "target", Role: account.User, Password: NewPassword()})
		},
		func() account.Change { return p.password("target", NewPassword()) },
	} {
		c := step()
		_, snapshots := w.Beat(uint64(n + 1))
		for _, s := range snapshots {
			if d := differ(s, c.Snapshot()); d != "" {
				t.Errorf("the snapshot of change %d of revision %d: %s", n+1, c.Revision, d)
			}
		}
		if is := p.Show("target"); differ(is.Snapshot(c.Revision), c.Snapshot()) != "" {
			t.Errorf("show after change %d: %s", n+1, unlike(is, c.Account))
		}
		if len(snapshots) == 0 {
			t.Errorf("no snapshot of change %d came before a heartbeat that was asked for later", n+1)
		}
	}
}

// changesComeInOrder has several accounts changed at once by several callers, and
// holds what came against what they were answered.
func changesComeInOrder(t *T) {
	p := t.Open()
	names := []string{"first", "second"}
	for _, name := range names {
		p.Create(name, account.User)
	}
	w := p.Watch()
	var mu sync.Mutex
	answered := map[string][]account.Snapshot{}
	var callers sync.WaitGroup
	for _, name := range names {
		for i := range 3 {
			callers.Go(func() {
				for n := range 24 {
					in, environment := p.New(), fmt.Sprintf("w%d", i)
					what := toggled(name, environment, n)
					if i == 0 {
						what = fmt.Sprintf("suspend and enable %s in turns, call %d", name, n+1)
					}
					c, err := settled(func() (account.Change, error) {
						if i == 0 && n%2 == 0 {
							return p.Users.Suspend(t.ctx, in, name)
						} else if i == 0 {
							return p.Users.Enable(t.ctx, in, name)
						}
						return toggle(t.ctx, p, in, name, environment, n)
					})
					if err != nil || !c.Changed {
						t.Errorf("%s: %s; want changed true, for nobody else does that", what, outcome(c, err))
						return
					}
					mu.Lock()
					answered[name] = append(answered[name], c.Snapshot())
					mu.Unlock()
				}
			})
		}
	}
	callers.Wait()
	_, came := w.Beat(1)
	for i := 1; i < len(came); i++ {
		if came[i].Revision < came[i-1].Revision {
			t.Errorf("a snapshot of revision %d came after one of revision %d", came[i].Revision, came[i-1].Revision)
		}
	}
	for _, name := range names {
		all := answered[name]
		slices.SortFunc(all, func(a, b account.Snapshot) int { return cmp.Compare(a.Revision, b.Revision) })
		var last account.Snapshot
		for _, s := range came {
			if s.Username != name {
				continue
			}
			last = s
			after, _ := slices.BinarySearchFunc(all, s.Revision, func(a account.Snapshot, r account.Revision) int {
				return cmp.Compare(a.Revision, r+1)
			})
			if after == 0 {
				t.Errorf("a snapshot of %s of revision %d came, and the first change after the stream began was of %d", name, s.Revision, all[0].Revision)
			} else if d := differ(s, all[after-1]); d != "" {
				t.Errorf("the snapshot of %s of revision %d, where the newest change was answered with revision %d: %s", name, s.Revision, all[after-1].Revision, d)
			}
		}
		if d := differ(last, all[len(all)-1]); d != "" {
			t.Errorf("the last snapshot of %s before the heartbeat: %s", name, d)
		}
	}
}

func heartbeatsComeInOrder(t *T) {
	p := t.Open()
	w := p.Watch()
	numbers := []uint64{1, 2, 3, 100, 7, 1 << 63, 5, 6}
	for _, n := range numbers {
		w.Send(account.WatchRequest{Heartbeat: n})
	}
	var newest account.Revision
	for _, n := range numbers {
		e := w.Next(fmt.Sprintf("heartbeat %d", n))
		switch b := e.Heartbeat; {
		case b == nil:
			t.Errorf("a snapshot came, want heartbeat %d", n)
		case b.Number != n:
			t.Errorf("heartbeat %d came, want %d", b.Number, n)
		case b.StoreID != p.About.StoreID:
			t.Errorf("heartbeat %d says the store id %q, and the backend said %q when it was configured", n, b.StoreID, p.About.StoreID)
		case b.Revision < newest:
			t.Errorf("heartbeat %d is of revision %d, and one before it of %d", n, b.Revision, newest)
		default:
			newest = b.Revision
		}
	}
}

// slowReader makes one account large, so that changes of it soon fill whatever
// lies between the backend and a reader that has stopped.
func slowReader(t *T) {
	p := t.Open()
	const environments, rounds = 120, 150
	long := strings.Repeat("x", 240)
	p.Create("large", account.User)
	small := []string{"a", "b", "c", "d"}
	for _, name := range small {
		p.Create(name, account.User)
	}
	if p.Declares(account.CapabilityApply) {
		grants := account.Grants{}
		for n := range environments * 4 {
			grants[fmt.Sprintf("%s%d", long, n)] = []account.Permission{account.Read, account.Write}
		}
		p.apply(account.Desired{Username: "large", Grants: grants})
	} else {
		for n := range environments {
			p.grant("large", fmt.Sprintf("%s%d", long, n), account.Read)
		}
	}
	w := p.watch(0)
	want := map[string]account.Snapshot{}
	for n := range rounds {
		if n%2 == 0 {
			want["large"] = p.suspend("large").Snapshot()
		} else {
			want["large"] = p.enable("large").Snapshot()
		}
		if i := n - rounds/2; i >= 0 && i < len(small) { // once each, when the stream is full
			want[small[i]] = p.suspend(small[i]).Snapshot()
		}
	}
	came, over := w.until(1)
	if !over {

		last := map[string]account.Snapshot{}
		for _, s := range came {
			last[s.Username] = s
		}
		for name, s := range want {
			if d := differ(last[name], s); d != "" {
				t.Errorf("the stream went on, and the last snapshot of %s is not of its last change: %s", name, d)
			}
		}
		return
	}
	t.Refused(w.err, account.KindConflict, "", "a stream that fell behind")
	got := p.Watch().read("large", "a", "b", "c", "d")
	for name, s := range want {
		if d := differ(got[name], s); d != "" {
			t.Errorf("on a new stream the read of %s: %s", name, d)
		}
	}
}
