package session_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// crowd returns a table of n sessions, ten to an account, and their tokens.
func crowd(tb testing.TB, n int) (*session.Table, []session.Token) {
	tb.Helper()
	table := session.New(session.Options{IdleTimeout: 24 * time.Hour, Lease: 24 * time.Hour})
	table.Heartbeat("store", 0, time.Now())
	tokens := make([]session.Token, n)
	for i := range tokens {
		tokens[i], _ = login(tb, table, at(userName(i/10), 1, 1), session.Details{})
	}
	return table, tokens
}

func userName(i int) string { return fmt.Sprintf("user%07d", i) }

func populations(b *testing.B, counts ...int) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for _, n := range counts {
			if !yield(fmt.Sprintf("sessions=%.0e", float64(n)), n) {
				return
			}
		}
	}
}

// BenchmarkCheck stands beside its floor: reading the clock, finding the token
// in a plain map of as many under a read lock, and looking at what is found.
// Without the clock, which orders instructions, the processor would work on
// several of the floor's look-ups at once, as it cannot on calls that arrive.
func BenchmarkCheck(b *testing.B) {
	for name, n := range populations(b, 1e3, 1e6) {
		table, tokens := crowd(b, n)
		check := func(b *testing.B, token session.Token) {
			if _, err := table.Check(token); err != nil {
				b.Error(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for show := newShower(tokens); b.Loop(); {
				check(b, show.next())
			}
		})
		b.Run(name+"/writers=1", func(b *testing.B) {
			done := make(chan struct{})
			var writer sync.WaitGroup
			writer.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						login(b, table, at("writer", 1, 1), session.Details{})
						table.Revoke("writer")
					}
				}
			})
			b.RunParallel(func(p *testing.PB) {
				for show := newShower(tokens); p.Next(); {
					check(b, show.next())
				}
			})
			close(done)
			writer.Wait()
		})

		var mu sync.RWMutex
		plain := make(map[session.Token]*account.Snapshot)
		for _, token := range tokens {
			plain[token] = &account.Snapshot{Enabled: true}
		}
		b.Run(name+"/floor", func(b *testing.B) {
			for show := newShower(tokens); b.Loop(); {
				token := show.next()
				now := time.Now()
				mu.RLock()
				s := plain[token]
				mu.RUnlock()
				if !s.Enabled || now.IsZero() {
					b.Fatal("not found")
				}
			}
		})
		runtime.KeepAlive(table)
	}
}

// shower gives tokens in random order, from a buffer that stays in the cache:
// a token has just come in with its call.
type shower struct {
	all    []session.Token
	buffer [256]session.Token
	at     int
}

func newShower(all []session.Token) *shower { return &shower{all: all} }

func (s *shower) next() session.Token {
	if s.at == 0 {
		for i := range s.buffer {
			s.buffer[i] = s.all[rand.IntN(len(s.all))]
		}
	}
	token := s.buffer[s.at]
	s.at = (s.at + 1) % len(s.buffer)
	return token
}

func BenchmarkLogin(b *testing.B) {
	for name, n := range populations(b, 1e3, 1e6) {
		table, _ := crowd(b, n)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				token, _ := login(b, table, at(userName(i%n), 1, 1), session.Details{})
				table.Logout(token)
			}
		})
	}
}

// BenchmarkRevoke ends the ten sessions of one account among all.
func BenchmarkRevoke(b *testing.B) {
	for name, n := range populations(b, 1e3, 1e6) {
		table, _ := crowd(b, n)
		order := rand.Perm(n / 10)
		b.Run(name, func(b *testing.B) {
			var spent time.Duration
			for i := 0; b.Loop(); i++ {
				u := userName(order[i%len(order)])
				began := time.Now()
				if table.Revoke(u) != 10 {
					b.Fatal("other than ten sessions ended")
				}
				spent += time.Since(began)
				for range 10 {
					login(b, table, at(u, 1, 1), session.Details{})
				}
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/revocation")
		})
	}
}

// BenchmarkList makes every row; its floor, order=…/sorted, makes none.
func BenchmarkList(b *testing.B) {
	for name, n := range populations(b, 1e5) {
		table := scattered(b, n)
		for o, order := range session.Orders {
			b.Run(name+"/order="+order, func(b *testing.B) {
				for b.Loop() {
					if _, all := count(table, session.Listing{Order: session.Order(o)}); all != n {
						b.Fatalf("%d of %d rows", all, n)
					}
				}
			})
			b.Run(name+"/order="+order+"/sorted", func(b *testing.B) {
				for b.Loop() {
					table.List(session.Listing{Order: session.Order(o)})
				}
			})
		}
	}
}

// scattered returns a table of n sessions that differ in all that they may be
// sorted by.
func scattered(b *testing.B, n int) *session.Table {
	table := session.New(session.Options{Lease: 24 * time.Hour})
	table.Heartbeat("store", 0, time.Now())
	for i := range n {
		_, s := login(b, table, at(userName(rand.IntN(n/10)), 1, 1), session.Details{
			RemoteAddress: fmt.Sprintf("10.%d.%d.%d:%d", rand.IntN(256), rand.IntN(256), rand.IntN(256), 1024+i%60000),
			Environment:   fmt.Sprintf("environment%d", rand.IntN(100)),
		})
		for range rand.IntN(10) {
			s.BeginCall("find").End()
		}
		for i := range max(rand.IntN(20)-16, 0) {
			s.OpenTransaction(fmt.Sprint("t", i), "default")
		}
	}
	return table
}

func count(table *session.Table, l session.Listing) (total, listed int) {
	total, batches := table.List(l)
	for batch := range batches {
		listed += len(batch)
	}
	return total, listed
}

func BenchmarkExpire(b *testing.B) {
	for name, n := range populations(b, 1e6) {
		table, _ := crowd(b, n)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				table.Expire()
			}
		})
	}
}

// BenchmarkMemory reports what one session costs, its share of the account
// included.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for _, each := range []int{1, 10} {
		b.Run(fmt.Sprintf("sessions=1e+06/account=%d", each), func(b *testing.B) {
			names := make([]account.Snapshot, n/each)
			for i := range names {
				names[i] = at(userName(i), 1, 1)
			}
			for b.Loop() {
				before := heap()
				table := session.New(session.Options{})
				table.Heartbeat("store", 0, time.Now())
				for i := range n {
					login(b, table, names[i/each], session.Details{})
				}
				b.ReportMetric(float64(heap()-before)/n, "B/session")
				runtime.KeepAlive(table)
			}
			b.ReportMetric(float64(session.SessionSize), "B/struct")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
