package etcd_test

import (
	"context"
	"fmt"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/plugin/users"
)

// BenchmarkFloor is what etcd itself takes: for a transaction without anything
// in it, for one that writes a key, and for a linearizable read.
func BenchmarkFloor(b *testing.B) {
	client := direct(b, etcdtest.Start(b, 1))
	value := string(make([]byte, 300))
	for name, ask := range map[string]func() error{
		"transaction=empty": func() error {
			_, err := client.Txn(b.Context()).Then().Commit()
			return err
		},
		"transaction=put": func() error {
			_, err := client.Txn(b.Context()).Then(clientv3.OpPut("key", value)).Commit()
			return err
		},
		"read": func() error {
			_, err := client.Get(b.Context(), "key")
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := fill(b, 1000)
			value := make([]byte, 300)
			calls, done := make(chan int), make(chan error)
			for range callers {
				go func() {
					for i := range calls {
						if _, err := s.Update(b.Context(), func(tx users.Tx) error { return tx.Put(numbered(i%1000), value) }); err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for i := 0; b.Loop(); i++ {
				calls <- i
			}
			close(calls)
			for range callers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("reads=1", func(b *testing.B) { // of what is written, which is not looked up then
		s := fill(b, 1000)
		value := make([]byte, 300)
		for i := 0; b.Loop(); i++ {
			if _, err := s.Update(b.Context(), func(tx users.Tx) error {
				if _, err := tx.Get(numbered(i % 1000)); err != nil {
					return err
				}
				return tx.Put(numbered(i%1000), value)
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkView(b *testing.B) {
	for _, accounts := range []int{1000, 100_000} {
		s := fill(b, accounts)
		b.Run(fmt.Sprintf("accounts=%.0e", float64(accounts)), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := s.View(b.Context(), func(r users.Reader) error {
					_, err := r.Get(numbered(i % accounts))
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkList is a page, with each account's last login, from a store that
// prefetches and from one that does not.
func BenchmarkList(b *testing.B) {
	const accounts = 1000
	s := open(b, start(b), etcd.Options{})
	service, caller := populated(b, s, accounts-1)
	list := func(b *testing.B) {
		for b.Loop() {
			if page, _, err := service.List(b.Context(), caller, ""); err != nil || len(page) != accounts {
				b.Fatal(len(page), err)
			}
		}
	}
	b.Run(fmt.Sprintf("accounts=%d", accounts), list)
	b.Run(fmt.Sprintf("accounts=%d/oneByOne", accounts), func(b *testing.B) {
		service = serve(b, plain{s})
		list(b)
	})
}

// plain is a Store whose Readers are nothing more.
type plain struct{ users.Store }

func (p plain) View(ctx context.Context, fn func(users.Reader) error) error {
	return p.Store.View(ctx, func(r users.Reader) error { return fn(struct{ users.Reader }{r}) })
}

func BenchmarkScan(b *testing.B) {
	for _, accounts := range []int{1000, 100_000} {
		s := fill(b, accounts)
		b.Run(fmt.Sprintf("accounts=%.0e", float64(accounts)), func(b *testing.B) {
			for b.Loop() {
				n := 0
				if err := s.View(b.Context(), func(r users.Reader) error {
					return r.Scan(users.Accounts, "", func(string, []byte) error {
						n++
						return nil
					})
				}); err != nil || n != accounts {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func numbered(i int) users.Key { return key(fmt.Sprintf("a%06d", i)) }

func fill(b *testing.B, accounts int) *etcd.Store {
	b.Helper()
	s := open(b, etcdtest.Start(b, 1), etcd.Options{})
	value := make([]byte, 300)
	for first := 0; first < accounts; first += 100 {
		if _, err := s.Update(b.Context(), func(tx users.Tx) error {
			for i := first; i < min(first+100, accounts); i++ {
				if err := tx.Put(numbered(i), value); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}
