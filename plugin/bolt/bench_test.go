package bolt_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
)

func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := fill(b, 1000)
			value := make([]byte, 300)
			calls := make(chan int)
			var commits atomic.Int64
			bolt.WrapCommit(s, func(commit, _ func() error) error {
				commits.Add(1)
				return commit()
			})
			done := make(chan error)
			for range callers {
				go func() {
					for i := range calls {
						if _, err := s.Update(b.Context(), func(tx users.Tx) error { return tx.Put(accountKey(i%1000), value) }); err != nil {
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
			b.ReportMetric(float64(b.N)/float64(max(commits.Load(), 1)), "updates/commit")
		})
	}
}

func BenchmarkView(b *testing.B) {
	for _, accounts := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("accounts=%.0e", float64(accounts)), func(b *testing.B) {
			s := fill(b, accounts)
			for i := 0; b.Loop(); i++ {
				if err := s.View(b.Context(), func(r users.Reader) error {
					_, err := r.Get(accountKey(i % accounts))
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func fill(b *testing.B, accounts int) *bolt.Store {
	b.Helper()
	s := open(b, newPath(b), bolt.Options{})
	value := make([]byte, 300)
	for first := 0; first < accounts; first += 10_000 {
		if _, err := s.Update(b.Context(), func(tx users.Tx) error {
			for i := first; i < min(first+10_000, accounts); i++ {
				if err := tx.Put(accountKey(i), value); err != nil {
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
