package gate_test

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
)

// race is one run: a real gate over a real table, and an exact plugin with two
// administrators: root, who changes jeff, and jeff, who logs in.
type race struct {
	*run
	gate   *gate.Gate
	plugin *exact
	root   gate.Caller

	clock     time.Time
	until     time.Time        // the lease's end
	lapsed    bool             // it came
	following bool             // nothing that was committed is missing from the stream
	known     account.Revision // up to which the host says that it knows everything
	merging   bool             // of several changes the stream tells the last

	under    int // changes by root that have not been answered
	attempts []*attempt
	calls    []*call
}

// hold gives jeff a session from before the race.
func (w *race) hold() { w.try(w.run, "the session from before", right).settled = false }

// attempt is a login of jeff.
type attempt struct {
	name    string
	began   account.Revision
	right   bool // the credentials were those of an enabled account when it began
	settled bool // every change by root had been answered then
	done    bool
	leased  bool // the host knew what it did
	login   gate.Login
	read    account.Revision
	err     error
}

// call is one with the token that jeff held before the race.
type call struct {
	taken    bool // the token, by a change that was answered when the call began
	accepted bool
	leased   bool
}

// newRace begins a run. jeff is an administrator, or as said.
func newRace(log *audit.Log, jeff *account.Account) *race {
	if jeff == nil {
		jeff = &account.Account{Username: "jeff", Role: account.Admin, Enabled: true}
	}
	w := &race{run: newRun(), clock: time.Unix(1e9, 0), following: true}
	w.plugin = newExact(
		entry{account.Account{Username: "root", Role: account.Admin, Enabled: true}, right},
		entry{*jeff, right},
	)
	now := func() time.Time { return w.clock }
	w.gate = &gate.Gate{
		Users: w.plugin, Table: session.New(session.Options{Host: "h", Lease: lease, Now: now}),
		Throttle: throttle.New(throttle.Options{Entries: 64, Now: now}), Audit: log, Logger: hclog.NewNullLogger(),
		Host: "h", DefaultEnvironment: "plain", CallTimeout: callTimeout, LeaseWait: leaseWait, Stopping: w.run,
	}
	w.gate.Halfway(func(ctx context.Context) { acting(ctx).stop(step{"sessions end", 0, table}) })
	w.hears(w.plugin.revision, w.clock)
	root, err := w.gate.Login(w.run, remote, "root", account.Secret(right))
	if err == nil {
		w.root, err = w.gate.Admit(w.run, root.Token, remote, "Test")
	}
	if err != nil {
		panic(err)
	}
	return w
}

func (w *race) isNotThere() bool {
	_, found := w.plugin.accounts["jeff"]
	return !found
}

func (w *race) isSuspended() bool { return !w.plugin.accounts["jeff"].Enabled }

// try logs jeff in.
func (w *race) try(ctx context.Context, name, password string) *attempt {
	e, found := w.plugin.accounts["jeff"]
	a := &attempt{
		name: name, began: w.plugin.revision, settled: w.under == 0,
		right: found && e.Enabled && e.password == password,
	}
	w.attempts = append(w.attempts, a)
	origin := gate.Origin{Listener: account.ClientListener, RemoteAddress: name}
	a.login, a.err = w.gate.Login(ctx, origin, "jeff", account.Secret(password))
	a.done, a.read, a.leased = true, w.plugin.reads[acting(ctx)], w.leased()
	return a
}

// logsIn adds a login of jeff.
func (w *race) logsIn(name, password string) *actor {
	return w.act(name, func(ctx context.Context) {
		acting(ctx).stop(step{"a login begins", store | clock, table})
		w.try(ctx, name, password)
	})
}

// logsInAfter adds a login of jeff that begins when every change by root has
// been answered, with the password that jeff has then.
func (w *race) logsInAfter() {
	w.act("login after", func(ctx context.Context) {
		acting(ctx).stop(step{"a login begins", store | clock, table})
		w.try(ctx, "login after", w.plugin.accounts["jeff"].password)
	}).when(func() bool { return w.under == 0 })
}

// callsIn adds a call with the token that jeff held before.
func (w *race) callsIn() {
	w.act("call", func(ctx context.Context) {
		acting(ctx).stop(step{"a call comes in", table | clock, 0})
		c := &call{}
		for _, t := range w.plugin.taken {
			c.taken = c.taken || t.answered
		}
		caller, err := w.gate.Admit(ctx, w.attempts[0].login.Token, remote, "Test")
		if c.accepted, c.leased = err == nil, w.leased(); c.accepted {
			caller.Done()
		}
		w.calls = append(w.calls, c)
	})
}

// changes adds changes by root, one after another.
func (w *race) changes(name string, f fate, all ...change) *actor {
	w.under += len(all)
	return w.act(name, func(ctx context.Context) {
		for _, ask := range all {
			id := account.NewRequestID(w.clock)
			_, err := ask(context.WithValue(ctx, fateKey{}, f), w.gate, w.root, id)
			if err != nil && account.KindOf(err) != account.KindOutcomeUnknown {
				panic(err)
			}
			w.plugin.answer(id)
			w.under--
		}
	})
}

// commits adds what becomes of jeff by another host, or by a call that was given
// up: nobody here is told but by the stream.
func (w *race) commits(name string, all ...become) *actor {
	return w.act(name, func(ctx context.Context) {
		for _, b := range all {
			acting(ctx).stop(commits)
			w.plugin.commit(account.NewRequestID(w.clock), "jeff", b)
		}
	})
}

// streams adds the delivery of what the stream has to say, as long as there is
// something.
func (w *race) streams() {
	a := w.act("stream", func(ctx context.Context) {
		for {
			acting(ctx).stop(step{"the stream delivers", 0, table | stream | clock})
			w.deliver()
		}
	})
	a.ready, a.free = func() bool { return len(w.plugin.untold) > 0 }, true
}

func (w *race) deliver() {
	next := w.plugin.untold[0]
	w.plugin.untold = w.plugin.untold[1:]
	switch {
	case next.heartbeat:
		w.hears(next.Revision, next.asked)
		w.following, w.known = true, next.Revision
	case w.merging && len(w.plugin.untold) > 0 && !w.plugin.untold[0].heartbeat:
		w.deliver()
	default:
		w.gate.Table.Apply(next.Snapshot)
		if w.following {
			w.known = next.Revision
		}
	}
}

// hears has the host know the store of a moment. Whoever waits for the lease goes
// on within the call, and looks at until.
func (w *race) hears(at account.Revision, asked time.Time) {
	if until := asked.Add(lease); until.After(w.until) {
		w.until = until
	}
	w.gate.Table.Heartbeat("store", at, asked)
}

// leased says that what the host knows may be trusted.
func (w *race) leased() bool { return w.clock.Before(w.until) }

// loses begins the run behind the end of a stream. The next one is opened as
// host/follow does it.
func (w *race) loses() *actor {
	w.following, w.plugin.subscribed = false, false
	return w.act("follower", func(ctx context.Context) {
		a := acting(ctx)
		a.stop(step{"a stream is open", store, stream})
		w.plugin.subscribed = true
		a.stop(step{"logins under way are overtaken", 0, table})
		w.gate.Table.Resync()
		a.stop(step{"live accounts are gathered", table, 0})
		live := w.gate.Table.LiveAccounts()
		a.stop(step{"the plugin reads live accounts", store, stream})
		for _, name := range live {
			w.plugin.tell(name)
		}
		w.beat(ctx)
	})
}

func (w *race) beat(ctx context.Context) {
	acting(ctx).stop(step{"the plugin reads for a heartbeat", store | clock, stream})
	w.plugin.beat(w.clock)
}

// lapses adds the end of the lease.
func (w *race) lapses() {
	w.act("clock", func(ctx context.Context) {
		acting(ctx).stop(step{"the lease runs out", 0, clock})
		w.clock, w.lapsed = w.clock.Add(lease), true
	})
}

// beats adds a heartbeat behind the lease's end, with which it is good again. It
// comes after that of the stream's follower, if there is one.
func (w *race) beats(follower *actor) {
	w.act("heartbeat", w.beat).when(func() bool { return w.lapsed && (follower == nil || follower.done) })
}

// judge looks at what holds after every step.
func (w *race) judge() error {
	for _, a := range w.attempts {
		if !a.done {
			continue
		}
		if a.err != nil {
			if a.right && w.plugin.changed["jeff"] <= a.began {
				return fmt.Errorf("%s was refused, with the credentials of an account that nobody changed since: %w", a.name, a.err)
			}
			continue
		}
		_, err := w.gate.Table.Check(a.login.Token)
		if !a.leased || err == nil && !w.leased() {
			return fmt.Errorf("%s was let in past the lease", a.name)
		}
		for _, t := range w.plugin.takenSince("jeff", a.read) {
			switch {
			case err != nil || !t.answered && (t.at > w.known || w.plugin.careless):
			case !t.grants:
				return fmt.Errorf("the token of %s, which read revision %d, is accepted in spite of revision %d", a.name, a.read, t.at)
			case a.login.Snapshot().Allows("plain", account.Write):
				return fmt.Errorf("%s, which read revision %d, may write in spite of revision %d", a.name, a.read, t.at)
			}
		}
	}
	for _, c := range w.calls {
		if c.accepted && !c.leased {
			return fmt.Errorf("a call was let in past the lease")
		}
		if c.accepted && c.taken {
			return fmt.Errorf("a call was let in whose token a change had taken that was answered before")
		}
	}
	return nil
}

// last looks at what holds when all is done.
func (w *race) last() error {
	for _, a := range w.attempts {
		if a.right && a.settled && len(w.plugin.takenSince("jeff", a.began)) == 0 {
			if _, err := w.gate.Table.Check(a.login.Token); err != nil {
				return fmt.Errorf("the session of %s was ended, although nothing was changed since it began: %w", a.name, err)
			}
		}
	}
	e, found := w.plugin.accounts["jeff"]
	if a := w.try(w.run, "the login at the end", e.password); (a.err == nil) != (found && e.Enabled) {
		return fmt.Errorf("jeff, who is there (%v) and enabled (%v), logs in at the end: %w", found, e.Enabled, a.err)
	}
	return w.judge()
}

// outcome says what a run came to, for comparison.
func (w *race) outcome() string {
	text := ""
	for _, a := range w.attempts {
		text += fmt.Sprint(a.name, " ", account.KindOf(a.err), " ", a.read, " ")
		if a.err == nil {
			_, err := w.gate.Table.Check(a.login.Token)
			text += fmt.Sprint(account.KindOf(err))
		}
		text += "; "
	}
	return text
}
