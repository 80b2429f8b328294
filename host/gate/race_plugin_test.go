package gate_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

// exact is a plugin and its store, as small as a race needs them: accounts that
// are read and changed at one moment each, and a stream that tells of it.
type exact struct {
	gate.Users // what no race asks of it

	accounts map[string]entry
	revision account.Revision
	made     int // accounts so far
	records  map[account.RequestID]account.Change
	taken    []taken
	reads    map[*actor]account.Revision // what each last read to log in
	changed  map[string]account.Revision // by name

	careless   bool // it raises no generation
	subscribed bool
	untold     []told
}

// told is what the stream says: what an account is, or that everything up to a
// revision was said.
type told struct {
	account.Snapshot
	heartbeat bool
	asked     time.Time
}

type entry struct {
	account.Account
	password string
}

// taken is what a commit took from an account: every token that was given out
// to a login before it or, if it says so, only grants.
type taken struct {
	name     string
	by       account.RequestID
	at       account.Revision
	grants   bool
	answered bool
}

// fate is what becomes of a change's answer.
type fate string

const (
	answered fate = ""           // it arrives
	lost     fate = ", repeated" // the plugin dies behind the commit, and the call is made again on the next one
	unknown  fate = ", unknown"  // an error comes behind the commit
	late     fate = ", late"     // an error comes before the commit
)

type fateKey struct{}

func newExact(accounts ...entry) *exact {
	p := &exact{
		accounts: map[string]entry{}, revision: 1, records: map[account.RequestID]account.Change{},
		reads: map[*actor]account.Revision{}, changed: map[string]account.Revision{}, subscribed: true,
	}
	for _, e := range accounts {
		e.ID, e.Generation = p.newID(), 1
		p.accounts[e.Username] = e
	}
	return p
}

func (p *exact) newID() account.ID {
	p.made++
	return account.ID(fmt.Sprint("account ", p.made))
}

func (p *exact) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	a := acting(ctx)
	a.stop(step{"the plugin reads the account", store, 0})
	e, found := p.accounts[c.Username]
	p.reads[a] = p.revision
	read := account.Login{Account: e.Account, Revision: p.revision}
	switch {
	case !found || e.password != string(c.Password):
		return account.Login{}, account.NotAuthenticated()
	case !e.Enabled:
		return account.Login{}, account.NotPermitted(account.ReasonSuspended, "the account is suspended")
	}
	a.stop(step{"the login completes", clock, table})
	return read, nil
}

func (p *exact) Exists(_ context.Context, username string) (bool, error) {
	_, found := p.accounts[username]
	return found, nil
}

// become says what a change makes of an account, nil for none.
type become func(before *entry) (after *entry)

var (
	suspended = become(func(e *entry) *entry { e.Enabled = false; return e })
	enabled   = become(func(e *entry) *entry { e.Enabled = true; return e })
	gone      = become(func(*entry) *entry { return nil })
	reborn    = become(func(*entry) *entry {
		return &entry{account.Account{Username: "jeff", Role: account.Admin, Enabled: true}, right}
	})
)

func demoted(e *entry) *entry { e.Role = account.User; return e }
func renewed(e *entry) *entry { return withPassword(otherPassword)(e) }

func withPassword(p string) become {
	return func(e *entry) *entry { e.password = p; e.Generation++; return e }
}

func withGrants(g account.Grants) become {
	return func(e *entry) *entry { e.Grants = g; return e }
}

// commit changes an account at the next revision, and raises its generation as
// the design says.
func (p *exact) commit(id account.RequestID, name string, b become) (c account.Change, before *entry) {
	p.revision++
	var after *entry
	if e, found := p.accounts[name]; found {
		before, after = &e, new(entry)
		*after = e
	}
	after = b(after)
	c = account.Change{Changed: true, Revision: p.revision, Gone: after == nil, Account: account.Account{Username: name}}
	switch {
	case after == nil:
		c.Account.ID, c.Account.Generation = before.ID, before.Generation
		delete(p.accounts, name)
	case before == nil:
		after.ID, after.Generation = p.newID(), 1
	case after.Role != before.Role || after.Enabled != before.Enabled:
		after.Generation++
	}
	raised := before != nil && after != nil && after.Generation != before.Generation
	if after != nil {
		if p.careless {
			after.Generation = 1
		}
		p.accounts[name], c.Account = *after, after.Account
	}
	switch {
	case before == nil:
	case after == nil || raised:
		p.taken = append(p.taken, taken{name: name, by: id, at: p.revision})
	case len(after.Grants) < len(before.Grants):
		p.taken = append(p.taken, taken{name: name, by: id, at: p.revision, grants: true})
	}
	p.records[id], p.changed[name] = c, p.revision
	if p.subscribed {
		p.tell(name)
	}
	return c, before
}

// tell puts on the stream what an account is now.
func (p *exact) tell(name string) {
	s := account.Snapshot{Username: name, Revision: p.revision}
	if e, found := p.accounts[name]; found {
		s = e.Snapshot(p.revision)
	}
	p.untold = append(p.untold, told{Snapshot: s})
}

// beat puts on the stream that everything up to now was told.
func (p *exact) beat(asked time.Time) {
	p.untold = append(p.untold, told{account.Snapshot{Revision: p.revision}, true, asked})
}

// repeated answers from the record, as the design's rule 2 says.
func (p *exact) repeated(id account.RequestID, name string) account.Change {
	c := p.records[id]
	now, found := p.accounts[name]
	out := account.Change{Changed: c.Changed, Repeated: true, Account: account.Account{
		ID: c.Account.ID, Generation: c.Account.Generation, Username: name,
	}}
	switch {
	case !found:
		out.Gone, out.Revision = true, p.revision
	case now.ID == c.Account.ID:
		out.Account, out.Revision = now.Account, p.revision
	}
	return out
}

var commits = step{"the plugin commits", 0, store | stream}

// change is every change's call.
func (p *exact) change(ctx context.Context, in account.Invocation, name string, b become) (c account.Change, before *entry, err error) {
	a := acting(ctx)
	fate, _ := ctx.Value(fateKey{}).(fate)
	if fate == late {
		a.stop(step{"the answer gets lost, and sessions end", 0, table})
		return account.Change{}, nil, account.OutcomeUnknown(in.RequestID)
	}
	a.stop(commits)
	c, before = p.commit(in.RequestID, name, b)
	switch fate {
	case unknown:
		a.stop(step{"the answer gets lost, and sessions end", 0, table})
		return account.Change{}, nil, account.OutcomeUnknown(in.RequestID)
	case lost:
		a.stop(step{"the next plugin answers from the record", store, 0})
		c, before = p.repeated(in.RequestID, name), nil
	}
	a.stop(step{"the host notes the answer", 0, table})
	return c, before, nil
}

func (p *exact) simple(ctx context.Context, in account.Invocation, name string, b become) (account.Change, error) {
	c, _, err := p.change(ctx, in, name, b)
	return c, err
}

func (p *exact) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return p.simple(ctx, in, r.Username, reborn)
}

func (p *exact) Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return p.simple(ctx, in, r.Username, func(e *entry) *entry {
		if r.Role != "" {
			e.Role = r.Role
		}
		if r.Password != nil {
			e.password = string(r.Password)
			e.Generation++
		}
		return e
	})
}

func (p *exact) Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return p.simple(ctx, in, r.Username, withPassword(string(r.Password)))
}

func (p *exact) Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return p.simple(ctx, in, r.Username, gone)
}

func (p *exact) Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return p.simple(ctx, in, r.Username, withGrants(nil))
}

func (p *exact) Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return p.simple(ctx, in, username, suspended)
}

func (p *exact) Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return p.simple(ctx, in, username, enabled)
}

func (p *exact) Apply(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	c, before, err := p.change(ctx, in, d.Username, func(e *entry) *entry {
		if d.Enabled != nil {
			e.Enabled = *d.Enabled
		}
		if d.Password != nil {
			e.password = string(d.Password)
			e.Generation++
		}
		return e
	})
	if err != nil {
		return account.Applied{}, err
	}
	out := account.Applied{Change: c, PasswordSet: d.Password != nil && !c.Repeated}
	if before != nil {
		out.Before = &before.Account
	}
	return out, nil
}

// answer notes that a change's caller was told how it ended.
func (p *exact) answer(id account.RequestID) {
	for i := range p.taken {
		if p.taken[i].by == id {
			p.taken[i].answered = true
		}
	}
}

// takenSince returns what of an account was taken behind a revision.
func (p *exact) takenSince(name string, at account.Revision) []taken {
	return slices.DeleteFunc(slices.Clone(p.taken), func(t taken) bool { return t.name != name || t.at <= at })
}
