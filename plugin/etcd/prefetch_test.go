package etcd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRequests counts what is asked of etcd.
func TestRequests(t *testing.T) {
	c := start(t)
	p := tapped(t, c.Endpoints()[0])
	s := open(t, c, etcd.Options{Endpoints: []string{p.endpoint()}})
	var many []users.Key
	for i := range 1000 {
		many = append(many, numbered(i))
	}
	put(t, s, many[0], "first")
	put(t, s, many[999], "last")
	get := func(r users.Reader, keys ...users.Key) error {
		for _, k := range keys {
			got, err := r.Get(k)
			if err != nil {
				return err
			}
			if want := map[users.Key]string{many[0]: "first", many[999]: "last"}[k]; string(got) != want || (got == nil) != (want == "") {
				return fmt.Errorf("%s is %q, want %q", k.Name, got, want)
			}
		}
		return nil
	}
	view := func(fn func(users.Reader) error) error { return s.View(t.Context(), fn) }
	update := func(fn func(users.Tx) error) error {
		_, err := s.Update(t.Context(), fn)
		return err
	}
	for _, row := range []struct {
		name     string
		requests int64
		do       func() error
	}{
		{"Get", 1, func() error { return view(func(r users.Reader) error { return get(r, many[0]) }) }},
		{"GetOneByOne", 5, func() error { return view(func(r users.Reader) error { return get(r, many[:5]...) }) }},
		{"GetTwice", 1, func() error { return view(func(r users.Reader) error { return get(r, many[0], many[0]) }) }},
		{"Prefetch", 10, func() error {
			return view(func(r users.Reader) error {
				if err := prefetch(r, many...); err != nil {
					return err
				}
				return get(r, many...)
			})
		}},
		{"PrefetchWhatIsKnown", 2, func() error {
			return view(func(r users.Reader) error {
				if err := get(r, many[0]); err != nil {
					return err
				}
				if err := prefetch(r, many[:50]...); err != nil {
					return err
				}
				return prefetch(r, many[:50]...)
			})
		}},
		{"PrefetchNothing", 0, func() error { return view(func(r users.Reader) error { return prefetch(r) }) }},
		{"ReadAndWrite", 2, func() error {
			return update(func(tx users.Tx) error {
				if err := get(tx, many[0]); err != nil {
					return err
				}
				return tx.Put(many[0], []byte("first"))
			})
		}},
		{"WriteUnread", 2, func() error { // they are looked up together
			return update(func(tx users.Tx) error {
				for _, k := range []users.Key{many[0], many[999]} {
					if err := tx.Put(k, []byte(map[bool]string{true: "first", false: "last"}[k == many[0]])); err != nil {
						return err
					}
				}
				return tx.Delete(many[1])
			})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := p.requests()
			if err := row.do(); err != nil {
				t.Fatal(err)
			}
			if n := p.requests() - before; n != row.requests {
				t.Errorf("it took %d requests, want %d", n, row.requests)
			}
		})
	}
}

func TestPrefetch(t *testing.T) {
	c := start(t)
	t.Run("IsNoDependency", func(t *testing.T) {
		s := open(t, c, etcd.Options{})
		runs := 0
		if _, err := s.Update(t.Context(), func(tx users.Tx) error {
			runs++
			if err := prefetch(tx, key("a"), key("b")); err != nil {
				return err
			}
			put(t, s, key("b"), "another's")
			return tx.Put(key("a"), []byte("ours"))
		}); err != nil || runs != 1 {
			t.Errorf("it ended with %v after %d runs, want success after 1", err, runs)
		}
	})
	t.Run("IsOneOnceItIsRead", func(t *testing.T) {
		s := open(t, c, etcd.Options{})
		runs := 0
		if _, err := s.Update(t.Context(), func(tx users.Tx) error {
			runs++
			if err := prefetch(tx, key("a"), key("b")); err != nil {
				return err
			}
			if _, err := tx.Get(key("b")); err != nil {
				return err
			}
			if runs == 1 {
				put(t, s, key("b"), "another's")
			}
			return tx.Put(key("a"), []byte("ours"))
		}); err != nil || runs != 2 {
			t.Errorf("it ended with %v after %d runs, want success after 2", err, runs)
		}
	})
	t.Run("IsOfOneState", func(t *testing.T) {
		s := open(t, c, etcd.Options{})
		var many []users.Key
		for i := range 150 { // more than fit in one request
			many = append(many, numbered(i))
		}
		if err := s.View(t.Context(), func(r users.Reader) error {
			if _, err := r.Get(key("a")); err != nil {
				return err
			}
			put(t, s, many[0], "later")
			put(t, s, many[149], "later")
			if err := prefetch(r, many...); err != nil {
				return err
			}
			for _, k := range many {
				if v, err := r.Get(k); err != nil || v != nil {
					t.Errorf("%s is %q, %v, which it became later", k.Name, v, err)
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
}

// TestBatches counts what services ask of etcd for many accounts at once.
func TestBatches(t *testing.T) {
	const accounts = 250
	c := start(t)
	p := tapped(t, c.Endpoints()[0])
	s := open(t, c, etcd.Options{Endpoints: []string{p.endpoint()}})
	service, caller := populated(t, s, accounts)
	for _, row := range []struct {
		name string
		most int64
		do   func() (n int, err error)
	}{
		// The caller, three pages of accounts at most, three requests for the logins.
		{"List", 7, func() (int, error) {
			page, _, err := service.List(t.Context(), caller, "")
			return len(page), err
		}},
		{"Export", 7, func() (int, error) {
			page, _, err := service.Export(t.Context(), caller, "")
			return len(page), err
		}},
		// Two requests that open the stream, and three for the accounts.
		{"Watch", 5, func() (n int, err error) {
			var names []string
			for i := range accounts {
				names = append(names, numbered(i).Name)
			}
			requests := make(chan account.WatchRequest, 1)
			requests <- account.WatchRequest{Read: names}
			close(requests)
			err = service.Watch(within(t), requests, func(e account.WatchEvent) error {
				if e.Snapshot != nil && !e.Snapshot.Gone() {
					n++
				}
				return nil
			})
			return n, err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := p.requests()
			if n, err := row.do(); err != nil || n < accounts {
				t.Fatalf("it found %d accounts, %v", n, err)
			}
			if n := p.requests() - before; n > row.most {
				t.Errorf("it took %d requests, want at most %d", n, row.most)
			}
		})
	}
}

func prefetch(r users.Reader, keys ...users.Key) error {
	return r.(users.Prefetcher).Prefetch(slices.Clone(keys))
}

// populated is a service over a store, with an administrator and so many other
// accounts.
func populated(t testing.TB, s users.Store, accounts int) (*users.Service, account.Caller) {
	t.Helper()
	service := serve(t, s)
	if _, err := service.Initialize(t.Context(), account.FirstAdministrator{
		Username: "admin", Password: account.Secret("correct horse battery"), RequestID: account.NewRequestID(time.Now()),
	}); err != nil {
		t.Fatal(err)
	}
	var first kept
	if err := json.Unmarshal([]byte(get(t, s, key("admin"))), &first); err != nil {
		t.Fatal(err)
	}
	caller := account.Caller{Username: "admin", AccountID: first.ID, Generation: first.Generation}
	for i := range accounts {
		in := account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: caller, Host: "test"}
		if _, err := service.Apply(t.Context(), in, account.Desired{
			Username: numbered(i).Name, Role: account.User, PasswordHash: account.Secret(loadHash),
		}); err != nil {
			t.Fatal(err)
		}
	}
	return service, caller
}

func serve(t testing.TB, s users.Store) *users.Service {
	t.Helper()
	service := users.New(users.Backend{Name: "etcd", Version: "test", Open: func(context.Context, string, map[string]string) (users.Store, error) {
		return s, nil
	}}, hclog.NewNullLogger())
	if _, err := service.Configure(t.Context(), account.Configuration{Home: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return service
}
