package conformance

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

const durabilityContract = `rule 1 of docs/design.md: an acknowledged change is durable, whether the process is shut down or killed`

// needsDurable is what the cases need whose changes must outlive the process.
var needsDurable = []string{account.CapabilityChange, account.CapabilityDurable}

var durabilityCases = []Case{
	{
		Name: "durability/acknowledged-changes-survive-a-kill", Contract: durabilityContract + `; of one that was not acknowledged a repeat tells or carries it out (rule 2)`, Needs: needsDurable,
		run: survivesKills,
	},
	{
		Name: "durability/everything-survives-the-process", Contract: durabilityContract + `: accounts, passwords, generations, request records, and the store's id`, Needs: needsDurable,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			for _, end := range []struct {
				how   string
				again func(p *Plugin) *Plugin
			}{{"shut down", (*Plugin).Restart}, {"killed", (*Plugin).KillAndRestart}} {
				for _, m := range p.mutations() {
					p.carriedOut(m, fmt.Sprintf("%s-before-%s", m.verb, end.how[:4]))
				}
				p.delete("target")
				_, password := p.Create("target", account.User)
				before, id := p.holdings(), p.About.StoreID
				p = end.again(p)
				if p.About.StoreID != id {
					t.Errorf("the store id was %q, and is %q after the process was %s", id, p.About.StoreID, end.how)
				}
				if !p.About.Initialized {
					t.Errorf("initialized is false after the process was %s", end.how)
				}
				p.Untouched(before, "after the process was %s", end.how)
				_, err := p.login("target", password)
				t.OK(err, "log in with the password of before")
				p.Login(p.admin.Username, p.admin.Password)
			}
		},
	},
	{
		Name: "durability/a-second-process-waits-or-shares", Contract: `the rpc Configure: a store that another process holds is refused with UNAVAILABLE, in bounded time; or both serve it, and each sees what the other has changed`, Needs: needsDurable,
		run: secondProcess,
	},
}

// writer makes changes that each take back the one before, and knows how far it
// got.
type writer struct {
	target, environment string
	acknowledged        int
	last, pending       account.Invocation
}

// write goes on until a call fails, and returns why.
func (w *writer) write(ctx context.Context, p *Plugin, ready func()) error {
	for {
		w.pending = p.New()
		c, err := settled(func() (account.Change, error) {
			return toggle(ctx, p, w.pending, w.target, w.environment, w.acknowledged)
		})
		if err != nil {
			return err
		}
		if !c.Changed {
			return fmt.Errorf("change %d of %s in %s was acknowledged with changed false", w.acknowledged+1, w.target, w.environment)
		}
		w.last = w.pending
		if w.acknowledged++; w.acknowledged%10 == 0 {
			ready()
		}
	}
}

// judge holds what a new process has against what the one before acknowledged.
func (w *writer) judge(t *T, p *Plugin) {
	what := fmt.Sprintf("%s in %s, after %d acknowledged changes", w.target, w.environment, w.acknowledged)
	holds := func() bool {
		a, err := p.Users.Show(t.ctx, p.Admin, w.target)
		t.OK(err, "%s: show it, which was acknowledged as created", what)
		return a.Grants.Holds(w.environment, account.Read)
	}
	before := holds()
	again, err := toggle(t.ctx, p, w.last, w.target, w.environment, w.acknowledged-1)
	t.OK(err, "%s: repeat the last one", what)
	if !again.Repeated || !again.Changed {
		t.Errorf("%s: the repeat of the last one says repeated %t and changed %t, want both true: it is lost", what, again.Repeated, again.Changed)
	}
	c, err := toggle(t.ctx, p, w.pending, w.target, w.environment, w.acknowledged)
	t.OK(err, "%s: repeat the one under way", what)
	carriedOut := before == (w.acknowledged%2 == 0) // the pending one grants if the number is even
	if !c.Changed || c.Repeated != carriedOut {
		t.Errorf("%s: the one under way had been carried out is %t, and its repeat says repeated %t and changed %t", what, carriedOut, c.Repeated, c.Changed)
	}
	w.acknowledged++
	if now := holds(); now != (w.acknowledged%2 == 1) {
		t.Errorf("%s: after the repeat the grant is held is %t", what, now)
	}
	w.last = w.pending
}

func survivesKills(t *T) {
	p := t.Open()
	var writers []*writer
	for i := range 5 { // each has an account: that one is never kept waiting by others is not asked for
		target := fmt.Sprintf("target-%d", i)
		p.Create(target, account.User)
		writers = append(writers, &writer{target: target, environment: "e"})
	}
	for range 3 {
		var dead atomic.Bool
		var ready, writing sync.WaitGroup
		ready.Add(len(writers))
		for _, w := range writers {
			writing.Go(func() {
				once := sync.OnceFunc(ready.Done)
				defer once()
				if err := w.write(t.ctx, p, once); !dead.Load() {
					t.Errorf("change %s before the kill: %s", w.target, describe(err))
				}
			})
		}
		ready.Wait()
		dead.Store(true)
		p.Kill()
		writing.Wait()
		if t.failed() {
			return
		}
		p = p.again()
		for _, w := range writers {
			w.judge(t, p)
		}
		if t.failed() {
			return
		}
	}
}

func secondProcess(t *T) {
	p := t.Open()
	p.Create("target", account.User)
	q := t.launch(Launch{}, p.store)
	ctx, cancel := t.Within(startBound)
	defer cancel()
	var err error
	q.About, err = q.Users.Configure(ctx, account.Configuration{Home: p.store.home, Settings: p.store.settings})
	q.admin, q.Admin = p.admin, p.Admin
	if err != nil {
		if wire.Transport(err) {
			t.Fatalf("configure a second process on the store: no answer within %s", startBound)
		}
		t.Refused(err, account.KindUnavailable, "", "configure a second process on the store")
		q.Kill()
		p.suspend("target")
		p = p.Restart()
		if p.Show("target").Enabled {
			t.Errorf("what the first process changed after the second was refused is lost")
		}
		return
	}
	if q.About.StoreID != p.About.StoreID || !q.About.Initialized {
		t.Fatalf("the second process says store id %q, initialized %t, and the first %q: they do not share the store", q.About.StoreID, q.About.Initialized, p.About.StoreID)
	}
	w := q.Watch()
	for n := range 10 {
		one, other := p, q
		if n%2 == 1 {
			one, other = q, p
		}
		in := one.New()
		c, err := toggle(t.ctx, one, in, "target", "e", n)
		t.OK(err, "change an account through one of two processes")
		t.Same(other.Show("target"), c.Account, "show through the other process")
		again, err := toggle(t.ctx, other, in, "target", "e", n)
		t.repeats(again, err, c, "the repeat through the other process")
		w.learns(c.Snapshot(), "a change, on the stream of the second process")
	}
	q.Kill()
	p.suspend("target")
}
