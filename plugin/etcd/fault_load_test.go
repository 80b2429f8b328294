package etcd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// How a load is made: administrators who fell and raise each other, accounts
// that they change, and some that come and go.
const (
	loadWorkers = 6
	loadTimeout = 3 * time.Second // of one call
	loadSettles = time.Minute     // for an outcome to be found out, once etcd is well
)

var (
	loadAdmins = []string{"admin", "admin1", "admin2"}
	loadUsers  = []string{"user0", "user1", "user2", "user3"}
	loadGuests = []string{"guest0", "guest1"}
)

// loadHash is a hash of some password, so that no worker needs to make one.
const loadHash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE"

// asked is one change that was asked for, and what came of it.
type asked struct {
	id           account.RequestID
	verb         account.Verb
	target       string
	began, ended time.Time // from the first time it was asked for to the last answer
	acknowledged bool      // otherwise it was refused, and never happened
}

// looked is what an account was found to be, by a read that may have taken
// place at any time in between.
type looked struct {
	what         string
	target       string
	began, ended time.Time
	found        state
}

// state is what matters of an account; the zero state is that of none.
type state struct {
	ID         account.ID
	Generation account.Generation
	Role       account.Role
	Enabled    bool
	Grants     string
}

func stateOf(id account.ID, g account.Generation, r account.Role, enabled bool, grants account.Grants) state {
	if id == "" {
		return state{}
	}
	text, err := json.Marshal(grants) // sorted
	if err != nil || len(grants) == 0 {
		text = nil
	}
	return state{id, g, r, enabled, string(text)}
}

// load makes changes through services until it is stopped, and writes down what
// it is told.
type load struct {
	nodes []*node

	mu    sync.Mutex
	asked []asked
	looks []looked

	acknowledged atomic.Int64
	stopping     atomic.Bool
	workers      sync.WaitGroup
}

// startLoad makes the accounts and begins to change them.
func startLoad(t *testing.T, nodes ...*node) *load {
	t.Helper()
	l := &load{nodes: nodes}
	l.prepare(t)
	for w := range loadWorkers {
		l.workers.Go(func() {
			worker := &worker{load: l, node: nodes[w%len(nodes)], name: loadAdmins[w%len(loadAdmins)]}
			if err := worker.run(); err != nil {
				t.Errorf("worker %d, as '%s': %v", w, worker.name, err)
			}
		})
	}
	return l
}

// prepare makes the first administrator and the other accounts.
func (l *load) prepare(t *testing.T) {
	t.Helper()
	n := l.nodes[0]
	first := account.FirstAdministrator{Username: loadAdmins[0], Password: account.Secret("correct horse battery"), RequestID: account.NewRequestID(time.Now())}
	l.note(asked{id: first.RequestID, verb: account.VerbInitialize, target: first.Username, began: time.Now(), ended: time.Now(), acknowledged: true})
	if out, err := n.service.Initialize(t.Context(), first); err != nil || !out.Changed {
		t.Fatalf("the first administrator: %+v, %v", out, err)
	}
	w := &worker{load: l, node: n, name: first.Username}
	for _, name := range append(slices.Clone(loadAdmins[1:]), loadUsers...) {
		role := account.User
		if slices.Contains(loadAdmins, name) {
			role = account.Admin
		}
		if err := w.change(account.VerbApply, name, func(ctx context.Context, in account.Invocation) error {
			_, err := n.service.Apply(ctx, in, account.Desired{Username: name, Role: role, PasswordHash: account.Secret(loadHash)})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if l.acknowledged.Load() != int64(len(loadAdmins)+len(loadUsers)-1) {
		t.Fatal("the accounts could not be made")
	}
}

func (l *load) note(a asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, a)
}

func (l *load) look(all ...looked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks = append(l.looks, all...)
}

// getsOn waits until so many more changes have been acknowledged.
func (l *load) getsOn(t *testing.T, n int64) {
	t.Helper()
	want := l.acknowledged.Load() + n
	eventually(t, fmt.Sprintf("%d more changes are acknowledged", n), func() bool { return l.acknowledged.Load() >= want })
}

// stop ends the load, once every outcome is known.
func (l *load) stop() {
	l.stopping.Store(true)
	l.workers.Wait()
}

// worker changes accounts as one of the administrators.
type worker struct {
	load   *load
	node   *node
	name   string
	caller account.Caller
}

func (w *worker) run() error {
	for !w.load.stopping.Load() {
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

func pick[T any](from []T) T { return from[rand.N(len(from))] }

// step makes one change, or looks at one account.
func (w *worker) step() error {
	service, environment := w.node.service, fmt.Sprintf("e%d", rand.N(4))
	user, admin, guest := pick(loadUsers), pick(loadAdmins), pick(loadGuests)
	switch n := rand.N(20); {
	case n < 3:
		return w.change(account.VerbSuspend, user, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Suspend(ctx, in, user)
			return err
		})
	case n < 6:
		return w.change(account.VerbEnable, user, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Enable(ctx, in, user)
			return err
		})
	case n < 8:
		return w.change(account.VerbGrant, user, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Grant(ctx, in, account.Grant{Username: user, Permission: account.Read, Environment: environment})
			return err
		})
	case n < 10:
		return w.change(account.VerbRevoke, user, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Revoke(ctx, in, account.Revoke{Username: user, Environment: environment})
			return err
		})
	case n == 10:
		return w.change(account.VerbSuspend, admin, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Suspend(ctx, in, admin)
			return err
		})
	case n < 13:
		return w.change(account.VerbEnable, admin, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Enable(ctx, in, admin)
			return err
		})
	case n < 15:
		role := pick([]account.Role{account.Admin, account.Admin, account.User})
		return w.change(account.VerbEdit, admin, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Edit(ctx, in, account.Edit{Username: admin, Role: role})
			return err
		})
	case n == 15:
		return w.change(account.VerbApply, guest, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Apply(ctx, in, account.Desired{Username: guest, PasswordHash: account.Secret(loadHash)})
			return err
		})
	case n == 16:
		return w.change(account.VerbDelete, guest, func(ctx context.Context, in account.Invocation) error {
			_, err := service.Delete(ctx, in, account.Delete{Username: guest})
			return err
		})
	}
	return w.look(pick([]string{user, admin, guest}))
}

// change asks for one change, as a host does: again under the same id for as
// long as the outcome is unknown. It fails where the outcome stays unknown, or
// where the answer is none that a backend gives.
func (w *worker) change(verb account.Verb, target string, ask func(context.Context, account.Invocation) error) error {
	if !w.login() {
		return nil
	}
	a := asked{id: account.NewRequestID(time.Now()), verb: verb, target: target, began: time.Now()}
	in := account.Invocation{RequestID: a.id, Caller: w.caller, Host: w.node.name}
	unknown := false
	for {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		err := ask(ctx, in)
		cancel()
		kind := account.KindOf(err)
		settled := err == nil
		switch kind {
		case 0:
			a.acknowledged = true
			w.load.acknowledged.Add(1)
		case account.KindNotAuthenticated, account.KindNotPermitted:
			settled, w.caller = true, account.Caller{}
		case account.KindNotFound, account.KindRefused:
			settled = true
		case account.KindUnavailable, account.KindConflict:
			settled = !unknown // of an earlier attempt it says nothing
		case account.KindInternal:
			unknown = true
		default:
			return fmt.Errorf("%s '%s': %w (kind %v)", verb, target, err, kind)
		}
		if settled {
			a.ended = time.Now()
			w.load.note(a)
			if kind == account.KindUnavailable {
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		}
		if time.Since(a.began) > loadSettles {
			return fmt.Errorf("the outcome of %s '%s' stays unknown: %w", verb, target, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// login takes the account as it is now for the worker's session, and reports
// whether it may change anything.
func (w *worker) login() bool {
	if w.caller.AccountID != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	var is kept
	err := w.node.store.View(ctx, func(r users.Reader) error {
		value, err := r.Get(users.Key{Space: users.Accounts, Name: w.name})
		if err != nil {
			return err
		}
		is = kept{}
		return json.Unmarshal(value, &is)
	})
	if err != nil || !is.administers() {
		time.Sleep(5 * time.Millisecond)
		return false
	}
	w.caller = account.Caller{Username: w.name, AccountID: is.ID, Generation: is.Generation, SessionID: w.name}
	return true
}

// look reads one account.
func (w *worker) look(target string) error {
	if !w.login() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	l := looked{what: "shown", target: target, began: time.Now()}
	a, err := w.node.service.Show(ctx, w.caller, target)
	l.ended = time.Now()
	switch account.KindOf(err) {
	case 0, account.KindNotFound:
		l.found = stateOf(a.ID, a.Generation, a.Role, a.Enabled, a.Grants)
		w.load.look(l)
	case account.KindNotAuthenticated, account.KindNotPermitted:
		w.caller = account.Caller{}
	case account.KindUnavailable, account.KindInternal:
		time.Sleep(10 * time.Millisecond)
	default:
		return errors.Join(fmt.Errorf("show '%s'", target), err)
	}
	return nil
}
