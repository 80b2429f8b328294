package bench_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// perAccount is how many sessions each account of a crowd has.
const perAccount = 10

// crowd is a connection table of n sessions, and their tokens.
func crowd(b *testing.B, n int) (*session.Table, []session.Token) {
	b.Helper()
	table := newTable()
	tokens := make([]session.Token, n)
	for i := range tokens {
		tokens[i] = enter(b, table, nameOf(i/perAccount))
	}
	return table, tokens
}

func newTable() *session.Table {
	table := session.New(session.Options{IdleTimeout: 24 * time.Hour, Lease: 24 * time.Hour})
	table.Heartbeat("store", 0, time.Now())
	return table
}

func nameOf(i int) string { return fmt.Sprintf("user%07d", i) }

// enter opens a session of an account as it was at its first generation.
func enter(b *testing.B, table *session.Table, username string) session.Token {
	l := table.Begin(username)
	defer l.Abandon()
	token, _, err := l.Complete(account.Snapshot{
		Username: username, ID: account.ID("the account id of " + username), Generation: 1, Role: account.User, Enabled: true, Revision: 1,
	}, session.Details{})
	if err != nil {
		b.Error(err)
	}
	return token
}

// lookups are what a table of tokens is at least: a map under a lock.
type lookups struct {
	mu     sync.RWMutex
	tokens map[session.Token]*account.Snapshot
	names  map[string][]session.Token
}

func lookupsOf(tokens []session.Token) *lookups {
	l := &lookups{tokens: map[session.Token]*account.Snapshot{}, names: map[string][]session.Token{}}
	for i, token := range tokens {
		l.enter(nameOf(i/perAccount), token)
	}
	return l
}

func (l *lookups) enter(name string, token session.Token) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens[token] = &account.Snapshot{Enabled: true}
	l.names[name] = append(l.names[name], token)
}

// check also reads the clock, which orders instructions: without it the
// processor would work on several look-ups at once, as it cannot on calls that
// arrive.
func (l *lookups) check(token session.Token) bool {
	now := time.Now()
	l.mu.RLock()
	s := l.tokens[token]
	l.mu.RUnlock()
	return s != nil && s.Enabled && !now.IsZero()
}

func (l *lookups) end(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, token := range l.names[name] {
		delete(l.tokens, token)
	}
	delete(l.names, name)
}

// BenchmarkTokenCheck checks a hundred tokens at a time, at rest and while
// sessions come and go as fast as one goroutine opens and ends them.
func BenchmarkTokenCheck(b *testing.B) {
	for name, n := range populations("sessions", 6) {
		table, tokens := crowd(b, n)
		plain := lookupsOf(tokens)
		next := shown(tokens)
		check := func() error {
			_, err := table.Check(next())
			return err
		}
		lookup := func() error {
			if !plain.check(next()) {
				return fmt.Errorf("a token is lost")
			}
			return nil
		}
		few, fewTokens := crowd(b, fewestOf())
		nextOfFew := shown(fewTokens)
		growth := work{name: "growth", batch: 100, do: func() error {
			_, err := few.Check(nextOfFew())
			return err
		}}
		b.Run(name, func(b *testing.B) {
			comparison{
				subject: work{do: check, batch: 100}, floor: []work{{name: "lookup", do: lookup, batch: 100}}, like: []work{growth},
			}.run(b)
			b.ReportMetric(testing.AllocsPerRun(1000, func() { check() }), "allocs")
		})
		b.Run(name+"/writers=1", func(b *testing.B) {
			comingAndGoing := during(func() {
				enter(b, table, "passing")
				table.Revoke("passing")
			})
			alike := during(func() {
				plain.enter("passing", session.Token{1})
				plain.end("passing")
			})
			comparison{
				subject: work{do: check, batch: 100, during: comingAndGoing},
				floor:   []work{{name: "lookup", do: lookup, batch: 100, during: alike}},
				like:    []work{{name: "again", do: check, batch: 100}}, // at rest
			}.run(b)
		})
		runtime.KeepAlive(tokens)
	}
}

// during repeats something as fast as it can until the end.
func during(do func()) func() (end func()) {
	return func() func() {
		over, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-over:
					return
				default:
					do()
				}
			}
		}()
		return func() { close(over); <-done }
	}
}

// shown gives tokens in random order, from a buffer that stays in the cache: a
// token has just come in with its call.
func shown(all []session.Token) (next func() session.Token) {
	var buffer [256]session.Token
	at := 0
	return func() session.Token {
		if at == 0 {
			for i := range buffer {
				buffer[i] = all[rand.IntN(len(all))]
			}
		}
		token := buffer[at]
		at = (at + 1) % len(buffer)
		return token
	}
}

// BenchmarkEndSessions ends the ten sessions of one account.
func BenchmarkEndSessions(b *testing.B) {
	for name, n := range populations("sessions", 6) {
		table, tokens := crowd(b, n)
		plain := lookupsOf(tokens)
		b.Run(name, func(b *testing.B) {
			var ended string
			end := work{
				do: func() error {
					ended = nameOf(rand.IntN(n / perAccount))
					if count := table.Revoke(ended); count != perAccount {
						return fmt.Errorf("%d sessions ended", count)
					}
					return nil
				},
				after: func() error {
					for range perAccount {
						enter(b, table, ended)
					}
					return nil
				},
			}
			var removed []session.Token
			remove := work{
				name: "removal",
				do: func() error {
					ended = nameOf(rand.IntN(n / perAccount))
					removed = plain.names[ended]
					plain.end(ended)
					return nil
				},
				after: func() error {
					for _, token := range removed {
						plain.enter(ended, token)
					}
					return nil
				},
			}
			comparison{subject: end, floor: []work{remove}}.run(b)
		})
	}
}

// BenchmarkMemory is what one session takes, its share of the account included
// with its name and id, besides the strings that a client brings.
func BenchmarkMemory(b *testing.B) {
	for name, n := range populations("sessions", 6) {
		for _, each := range []int{1, perAccount} {
			b.Run(fmt.Sprintf("%s/each=%d", name, each), func(b *testing.B) {
				var sizes []float64
				for b.Loop() {
					before := heap()
					table := newTable()
					for i := range n {
						enter(b, table, nameOf(i/each))
					}
					sizes = append(sizes, float64(heap()-before)/float64(n))
					runtime.KeepAlive(table)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(sizes), "B/session")
			})
		}
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
