package gate_test

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

// right is the password of every account of a double.
const right = "correct horse battery"

// double is a plugin that does what a test says. Its answers raise no
// generation and no revision: what ends sessions here is the gate.
type double struct {
	gate.Users // what no test asks of it

	accounts map[string]account.Account

	// Each stands in for the double's own answer, if it is not nil.
	authenticate func(context.Context, account.Credentials) (account.Login, error)
	change       func(ctx context.Context, in account.Invocation, verb account.Verb, target string) (account.Change, error)
	exists       func(ctx context.Context, username string) (bool, error)
	apply        func(in account.Invocation, d account.Desired) (account.Applied, error)
	plan         func(d account.Desired) (account.Applied, error)
	export       func(after string) ([]account.Exported, string, error)

	mu     sync.Mutex
	logins []account.Credentials // that it was asked to check
	asked  []asked               // for changes
}

// asked is one change that the double was asked for.
type asked struct {
	in          account.Invocation
	verb        account.Verb
	target      string
	environment string
}

func newDouble(accounts ...account.Account) *double {
	d := &double{accounts: map[string]account.Account{}}
	for _, a := range accounts {
		a.ID, a.Generation, a.Enabled = account.ID("id of "+a.Username), 1, true
		d.accounts[a.Username] = a
	}
	return d
}

func (d *double) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	d.mu.Lock()
	d.logins = append(d.logins, c)
	d.mu.Unlock()
	if d.authenticate != nil {
		return d.authenticate(ctx, c)
	}
	return d.check(c)
}

// check is the double's own answer to Authenticate.
func (d *double) check(c account.Credentials) (account.Login, error) {
	a, ok := d.accounts[c.Username]
	if !ok || string(c.Password) != right {
		return account.Login{}, account.NotAuthenticated()
	}
	return account.Login{Account: a, Revision: 1}, nil
}

func (d *double) Exists(ctx context.Context, username string) (bool, error) {
	if d.exists != nil {
		return d.exists(ctx, username)
	}
	_, ok := d.accounts[username]
	return ok, nil
}

func (d *double) carryOut(ctx context.Context, a asked) (account.Change, error) {
	d.mu.Lock()
	d.asked = append(d.asked, a)
	d.mu.Unlock()
	if d.change != nil {
		return d.change(ctx, a.in, a.verb, a.target)
	}
	return d.changed(a.target), nil
}

// changed is the double's own answer to a change.
func (d *double) changed(username string) account.Change {
	return account.Change{Changed: true, Account: d.accounts[username], Revision: 1}
}

func (d *double) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbCreate, target: r.Username})
}

func (d *double) Edit(ctx context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbEdit, target: r.Username})
}

func (d *double) Password(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbPassword, target: r.Username})
}

func (d *double) Delete(ctx context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbDelete, target: r.Username})
}

func (d *double) Grant(ctx context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbGrant, target: r.Username, environment: r.Environment})
}

func (d *double) Revoke(ctx context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbRevoke, target: r.Username, environment: r.Environment})
}

func (d *double) Suspend(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbSuspend, target: username})
}

func (d *double) Enable(ctx context.Context, in account.Invocation, username string) (account.Change, error) {
	return d.carryOut(ctx, asked{in: in, verb: account.VerbEnable, target: username})
}

func (d *double) Apply(ctx context.Context, in account.Invocation, r account.Desired) (account.Applied, error) {
	_, err := d.carryOut(ctx, asked{in: in, verb: account.VerbApply, target: r.Username})
	if err != nil {
		return account.Applied{}, err
	}
	return d.apply(in, r)
}

func (d *double) Plan(_ context.Context, _ account.Caller, r account.Desired) (account.Applied, error) {
	return d.plan(r)
}

func (d *double) Export(_ context.Context, _ account.Caller, after string) ([]account.Exported, string, error) {
	return d.export(after)
}

func (d *double) CheckPassword(_ context.Context, _ account.Caller, r account.Password) (bool, error) {
	if _, ok := d.accounts[r.Username]; !ok {
		return false, account.NotFound(r.Username)
	}
	return string(r.Password) == right, nil
}

func (d *double) Show(_ context.Context, _ account.Caller, username string) (account.Account, error) {
	a, ok := d.accounts[username]
	if !ok {
		return account.Account{}, account.NotFound(username)
	}
	return a, nil
}

// List gives one account a page.
func (d *double) List(_ context.Context, _ account.Caller, after string) ([]account.Account, string, error) {
	names := slices.Sorted(maps.Keys(d.accounts))
	i, found := slices.BinarySearch(names, after)
	if found {
		i++
	}
	page, next := []account.Account{d.accounts[names[i]]}, names[i]
	if i == len(names)-1 {
		next = ""
	}
	return page, next, nil
}
