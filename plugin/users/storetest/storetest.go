package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// patience is how long a case waits for what must come.
const patience = 20 * time.Second

// Run tests the contract, each case on a store of its own. open returns an
// empty store, and sees to it that it is closed when t ends.
func Run(t *testing.T, open func(t *testing.T) users.Store) {
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"View", viewCases},
		{"Update", updateCases},
		{"Serializable", serializableCases},
		{"Scan", scanCases},
		{"Watch", watchCases},
		{"Progress", progressCases},
		{"Close", closeCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
			}
		})
	}
}

type testCase struct {
	name string
	run  func(t *testing.T, s users.Store)
}

// errOwn is an error of a transaction's own function.
var errOwn = errors.New("the function's own error")

func key(name string) users.Key { return users.Key{Space: users.Accounts, Name: name} }

// update fails the test if the transaction does.
func update(t *testing.T, s users.Store, fn func(users.Tx) error) account.Revision {
	t.Helper()
	at, err := s.Update(t.Context(), fn)
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	return at
}

func put(t *testing.T, s users.Store, k users.Key, value string) account.Revision {
	t.Helper()
	return update(t, s, func(tx users.Tx) error { return tx.Put(k, []byte(value)) })
}

func remove(t *testing.T, s users.Store, k users.Key) account.Revision {
	t.Helper()
	return update(t, s, func(tx users.Tx) error { return tx.Delete(k) })
}

// view fails the test if the transaction does.
func view(t *testing.T, s users.Store, fn func(users.Reader) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatalf("View: %v", err)
	}
}

// want checks a key's value; empty means absent.
func want(t *testing.T, s users.Store, k users.Key, value string) {
	t.Helper()
	view(t, s, func(r users.Reader) error { return wantIn(t, r, k, value) })
}

func wantIn(t *testing.T, r users.Reader, k users.Key, value string) error {
	t.Helper()
	got, err := r.Get(k)
	if err == nil && (string(got) != value || (got == nil) != (value == "")) {
		t.Errorf("%s/%s is %q (nil: %t), want %q", k.Space, k.Name, got, got == nil, value)
	}
	return err
}

func revision(t *testing.T, s users.Store) (at account.Revision) {
	t.Helper()
	view(t, s, func(r users.Reader) error {
		at = r.Revision()
		return nil
	})
	return at
}

// within returns a context that ends a wait which would hang the test.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
