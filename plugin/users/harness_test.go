package users_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	adminPassword = "the admin's own password"
	newPassword   = "correct horse battery"
	otherPassword = "staple that to a horse"
)

// harness is a configured Service over a store in memory, with cheap hashing,
// the first ADMIN, and what a host would know to call it.
type harness struct {
	*users.Service
	t       *testing.T
	store   *hooked
	hashing *users.Hashing
	log     *syncBuffer
}

// start returns an initialised harness that checks the store's invariants when
// the test ends.
func start(t *testing.T) *harness {
	t.Helper()
	h := open(t, &hooked{Store: mem.New()}, nil)
	first := account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}
	out, err := h.Initialize(t.Context(), first)
	if err != nil || !out.Changed {
		t.Fatalf("Initialize: %+v, %v", out, err)
	}
	// Tests count their own records only.
	if _, err := h.store.Store.Update(t.Context(), func(tx users.Tx) error {
		return tx.Delete(users.Key{Space: users.Requests, Name: first.RequestID.String()})
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.checkAdmins() })
	return h
}

// open configures a Service over the store.
func open(t *testing.T, store *hooked, settings map[string]string) *harness {
	t.Helper()
	h := unconfigured(t, store)
	if _, err := h.Configure(t.Context(), account.Configuration{Settings: settings}); err != nil {
		t.Fatalf("Configure: %v", err)
	}
	return h
}

// unconfigured returns a Service that would open the store. It is closed with
// the test.
func unconfigured(t *testing.T, store *hooked) *harness {
	t.Helper()
	h := &harness{t: t, store: store, log: &syncBuffer{}}
	logger := hclog.New(&hclog.LoggerOptions{Output: h.log, Level: hclog.Trace})
	h.Service = users.New(users.Backend{
		Name: "test", Version: "1.2.3", Volatile: true,
		Open: func(_ context.Context, _ string, settings map[string]string) (users.Store, error) {
			for key := range settings {
				return nil, account.Invalid("plugin.settings."+key, "%q is not a setting", key)
			}
			return store, nil
		},
	}, logger)
	h.hashing = h.SetCost(64, 1)
	t.Cleanup(func() {
		if err := h.Service.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return h
}

// kept is what the store holds of an account.
type kept struct {
	ID         account.ID         `json:"id"`
	Generation account.Generation `json:"generation"`
	Role       account.Role       `json:"role"`
	Enabled    bool               `json:"enabled"`
	Hash       string             `json:"hash"`
}

func (h *harness) all() map[string]kept {
	h.t.Helper()
	all := map[string]kept{}
	h.view(func(r users.Reader) error {
		clear(all)
		return r.Scan(users.Accounts, "", func(name string, value []byte) error {
			var k kept
			err := json.Unmarshal(value, &k)
			all[name] = k
			return err
		})
	})
	return all
}

func (h *harness) kept(username string) kept {
	h.t.Helper()
	k, ok := h.all()[username]
	if !ok {
		h.t.Fatalf("the store has no account %q", username)
	}
	return k
}

func (h *harness) view(fn func(users.Reader) error) {
	h.t.Helper()
	if err := h.store.Store.View(context.Background(), fn); err != nil {
		h.t.Fatal(err)
	}
}

// caller is a session of the account as it is now.
func (h *harness) caller(username string) account.Caller {
	h.t.Helper()
	k := h.kept(username)
	return account.Caller{Username: username, AccountID: k.ID, Generation: k.Generation, SessionID: "session of " + username}
}

// as is a fresh invocation by a session of the account as it is now.
func (h *harness) as(username string) account.Invocation {
	h.t.Helper()
	return account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: h.caller(username), Host: "host"}
}

// create makes an account by the admin.
func (h *harness) create(username string, role account.Role) account.Account {
	h.t.Helper()
	c, err := h.Create(h.t.Context(), h.as("admin"), account.Create{Username: username, Password: account.Secret(newPassword), Role: role})
	if err != nil {
		h.t.Fatalf("create %s: %v", username, err)
	}
	return c.Account
}

// must fails the test if a change was refused.
func (h *harness) must(c account.Change, err error) account.Change {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *harness) login(username, password string) (account.Login, error) {
	return h.Authenticate(h.t.Context(), account.Credentials{Username: username, Password: account.Secret(password), Listener: account.ClientListener})
}

// probe asks as a host does for itself.
func (h *harness) probe(username, password string) (account.Login, error) {
	return h.Authenticate(h.t.Context(), account.Credentials{Username: username, Password: account.Secret(password), Listener: account.ManagementListener, Probe: true})
}

// rewrite changes an account as somebody with the store in hand could.
func (h *harness) rewrite(username string, change func(value map[string]any)) {
	h.t.Helper()
	if _, err := h.store.Store.Update(h.t.Context(), func(tx users.Tx) error {
		k := users.Key{Space: users.Accounts, Name: username}
		encoded, err := tx.Get(k)
		if err != nil {
			return err
		}
		value := map[string]any{}
		if err := json.Unmarshal(encoded, &value); err != nil {
			return err
		}
		change(value)
		if encoded, err = json.Marshal(value); err != nil {
			return err
		}
		return tx.Put(k, encoded)
	}); err != nil {
		h.t.Fatal(err)
	}
}

// quiet logs nothing.
func quiet() hclog.Logger { return hclog.NewNullLogger() }

// checkAdmins checks that the counter counts, and that there is an enabled
// ADMIN.
func (h *harness) checkAdmins() {
	h.t.Helper()
	var counted, enabled int
	h.view(func(r users.Reader) error {
		value, err := r.Get(users.Key{Space: users.Meta, Name: "admins"})
		if err != nil {
			return err
		}
		return json.Unmarshal(value, &counted)
	})
	for _, k := range h.all() {
		if k.Enabled && k.Role == account.Admin {
			enabled++
		}
	}
	if counted != enabled || enabled == 0 {
		h.t.Errorf("the store counts %d enabled ADMINs and has %d", counted, enabled)
	}
}

// refusal checks an error's kind and reason.
func refusal(t *testing.T, err error, kind account.Kind, reason account.Reason) {
	t.Helper()
	if account.KindOf(err) != kind || account.ReasonOf(err) != reason {
		t.Errorf("got %v (%v %q), want %v %q", err, account.KindOf(err), account.ReasonOf(err), kind, reason)
	}
}

// invalid checks that an error blames a field.
func invalid(t *testing.T, err error, field string, reason account.Reason) {
	t.Helper()
	refusal(t, err, account.KindInvalid, reason)
	if e, ok := err.(*account.Error); !ok || e.Field != field {
		t.Errorf("got %#v, want field %q", err, field)
	}
}

// hooked is a store whose transactions a test can hold up, fail or follow.
type hooked struct {
	users.Store
	mu                       sync.Mutex // guards the rest
	beforeView, beforeUpdate func(context.Context) error
	updates                  int
	rerun                    bool // run every update's function twice
}

func (s *hooked) set(fn func(*hooked)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(s)
}

func (s *hooked) View(ctx context.Context, fn func(users.Reader) error) error {
	s.mu.Lock()
	before := s.beforeView
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return err
		}
	}
	return s.Store.View(ctx, fn)
}

func (s *hooked) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	s.mu.Lock()
	s.updates++
	before, rerun := s.beforeUpdate, s.rerun
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return 0, err
		}
	}
	return s.Store.Update(ctx, func(tx users.Tx) error {
		if rerun {
			// As a store does whose first attempt met another commit: what the
			// first run wrote is thrown away.
			if err := fn(discard{tx, map[users.Key][]byte{}}); err != nil {
				return err
			}
		}
		return fn(tx)
	})
}

// discard is a Tx whose writes go nowhere.
type discard struct {
	users.Reader
	written map[users.Key][]byte
}

func (d discard) Get(k users.Key) ([]byte, error) {
	if value, ok := d.written[k]; ok {
		return value, nil
	}
	return d.Reader.Get(k)
}

func (d discard) Put(k users.Key, value []byte) error {
	d.written[k] = value
	return nil
}

func (d discard) Delete(k users.Key) error { return d.Put(k, nil) }

// syncBuffer is a log that many goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// verb is one mutation of a target, for what holds for all of them alike.
type verb struct {
	name account.Verb
	call func(h *harness, in account.Invocation, target string) (account.Change, error)
}

var verbs = []verb{
	{account.VerbCreate, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Create(h.t.Context(), in, account.Create{Username: target, Password: account.Secret(newPassword), Role: account.User, IfNotExists: true})
	}},
	{account.VerbEdit, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Edit(h.t.Context(), in, account.Edit{Username: target, Role: account.Admin, Password: account.Secret(newPassword)})
	}},
	{account.VerbPassword, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Password(h.t.Context(), in, account.Password{Username: target, Password: account.Secret(newPassword)})
	}},
	{account.VerbDelete, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Delete(h.t.Context(), in, account.Delete{Username: target})
	}},
	{account.VerbGrant, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Grant(h.t.Context(), in, account.Grant{Username: target, Permission: account.Write, Environment: "default"})
	}},
	{account.VerbRevoke, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Revoke(h.t.Context(), in, account.Revoke{Username: target, Environment: "default"})
	}},
	{account.VerbSuspend, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Suspend(h.t.Context(), in, target)
	}},
	{account.VerbEnable, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		return h.Enable(h.t.Context(), in, target)
	}},
	{account.VerbApply, func(h *harness, in account.Invocation, target string) (account.Change, error) {
		a, err := h.Apply(h.t.Context(), in, account.Desired{Username: target, Role: account.Admin, Password: account.Secret(otherPassword)})
		return a.Change, err
	}},
}

// everyVerb runs a test for each mutation, each over a store of its own with a
// USER "target".
func everyVerb(t *testing.T, test func(t *testing.T, h *harness, v verb)) {
	for _, v := range verbs {
		t.Run(string(v.name), func(t *testing.T) {
			h := start(t)
			h.create("target", account.User)
			test(t, h, v)
		})
	}
}

// contents is everything in the store, for "nothing has changed".
func (h *harness) contents() map[string]string {
	h.t.Helper()
	all := map[string]string{}
	for _, space := range users.Spaces() {
		h.view(func(r users.Reader) error {
			return r.Scan(space, "", func(name string, value []byte) error {
				all[fmt.Sprint(space, "/", name)] = string(value)
				return nil
			})
		})
	}
	return all
}

// unchanged checks that the store's contents, but for last sign-ins, are as
// they were.
func (h *harness) unchanged(before map[string]string) {
	h.t.Helper()
	now := h.contents()
	for _, m := range []map[string]string{before, now} {
		maps.DeleteFunc(m, func(k, _ string) bool { return strings.HasPrefix(k, string(users.SignIns)) })
	}
	if !maps.Equal(before, now) {
		h.t.Errorf("the store changed from\n%v\nto\n%v", before, now)
	}
}
