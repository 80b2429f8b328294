package session_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// world is a store of accounts that only raises generations, and which tokens
// the table gave out for them.
type world struct {
	table    *session.Table
	revision atomic.Uint64
	accounts []*entry
}

type entry struct {
	name string

	mu     sync.Mutex // one change or read at a time, as in a store
	state  account.Snapshot
	tokens []session.Token // of completed logins
}

func (w *world) login(e *entry) error {
	l := w.table.Begin(e.name)
	defer l.Abandon()
	for {
		e.mu.Lock()
		read := e.state
		e.mu.Unlock()
		token, _, err := l.Complete(read, session.Details{})
		if err == session.ErrRepeat {
			continue
		}
		if err != nil {
			return err
		}
		e.mu.Lock()
		e.tokens = append(e.tokens, token)
		e.mu.Unlock()
		return nil
	}
}

// change raises the generation and revokes, and returns how many of the tokens
// that were given out before that are still accepted.
func (w *world) change(e *entry) (accepted int) {
	e.mu.Lock()
	e.state.Generation++
	e.state.Revision = account.Revision(w.revision.Add(1))
	before := e.tokens
	e.tokens = nil
	applied := e.state
	e.mu.Unlock()

	if rand.IntN(2) == 0 {
		w.table.Apply(applied)
	}
	w.table.Revoke(e.name)
	for _, token := range before {
		if _, err := w.table.Check(token); err == nil {
			accepted++
		}
	}
	return accepted
}

func TestRule03_NoTokenOutlivesItsRevocation(t *testing.T) {
	table, c := newTable(t, session.Options{IdleTimeout: 2 * time.Hour})
	w := &world{table: table}
	for i := range 8 {
		name := fmt.Sprint("user", i)
		w.accounts = append(w.accounts, &entry{name: name, state: at(name, 1, 0)})
	}
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 1500 {
				e := w.accounts[rand.IntN(len(w.accounts))]
				switch rand.IntN(12) {
				default:
					if err := w.login(e); err != nil {
						t.Error(err)
					}
				case 0, 1:
					if n := w.change(e); n != 0 {
						t.Errorf("%d tokens are accepted after Revoke returned", n)
					}
				case 2:
					e.mu.Lock()
					known := e.state
					e.mu.Unlock()
					table.Apply(known)
				case 3:
					listed(table, session.Listing{Order: session.Order(rand.IntN(len(session.Orders)))})
				case 4:
					table.Resync()
					table.LiveAccounts()
				case 5:
					c.advance(time.Minute)
					table.Expire()
					table.Heartbeat("store", 0, c.now())
				case 6:
					_, batches := table.List(session.Listing{Filter: session.Filter{Account: e.name}, Order: session.ByActive})
					for batch := range batches {
						table.End(batch[rand.IntN(len(batch))].ID, session.Disconnected)
					}
				case 7:
					table.Disconnect(e.name)
				}
			}
		})
	}
	workers.Wait()

	for _, e := range w.accounts {
		if n := w.change(e); n != 0 {
			t.Errorf("%d tokens of %s are accepted after its revocation", n, e.name)
		}
	}
	if h := table.Held(); h != (session.Held{}) {
		t.Errorf("with every account revoked the table still holds %+v", h)
	}
}

// Sessions end once, whoever ends them, and each owner hears of it once.
func TestEnd_OnceAmongMany(t *testing.T) {
	table, c := newTable(t, session.Options{AbsoluteTimeout: time.Hour})
	for range 50 {
		const n = 40
		var told [n]atomic.Int32
		var tokens [n]session.Token
		var ids [n]string
		for i := range n {
			token, s := login(t, table, at("ann", 1, 1), session.Details{OnEnd: func(*session.Session, session.Cause) { told[i].Add(1) }})
			tokens[i], ids[i] = token, s.ID()
		}
		c.advance(time.Hour)
		var ended atomic.Int64
		var enders sync.WaitGroup
		enders.Go(func() { ended.Add(int64(table.Revoke("ann"))) })
		enders.Go(func() { ended.Add(int64(table.Expire())) })
		enders.Go(func() {
			for i := range n {
				if table.Logout(tokens[i]) {
					ended.Add(1)
				}
				if table.End(ids[n-1-i], session.Disconnected) {
					ended.Add(1)
				}
			}
		})
		enders.Wait()
		if ended.Load() != n {
			t.Fatalf("%d sessions were ended %d times", n, ended.Load())
		}
		for i := range n {
			if told[i].Load() != 1 {
				t.Fatalf("an owner was told %d times", told[i].Load())
			}
		}
	}
}
