package relay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// SessionEnded has what a session that ended held upstream aborted and logged out,
// whatever the cause. It does not wait for that.
func (r *Relay) SessionEnded(s *session.Session, _ session.Cause) {
	if h, ok := r.holdings.Load(s); ok {
		r.end(h.(*holding))
	}
}

// end is for a session that is over, or for a relay that is.
func (r *Relay) end(h *holding) {
	r.holdings.CompareAndDelete(h.session, h)
	h.mu.Lock()
	if h.over {
		h.mu.Unlock()
		return
	}
	h.over = true
	l := h.login
	h.login = nil
	aborts := r.takeIf(h, func(*transaction) bool { return true })
	h.mu.Unlock()
	if l != nil || len(aborts) > 0 {
		r.endings.add(&task{holding: h, login: l, aborts: aborts, logout: true})
	}
}

// Disconnected has a session's open transactions aborted when its last connection
// has closed: nobody will end them. The login stays, for the session may go on.
func (r *Relay) Disconnected(s *session.Session) {
	if h, ok := r.holdings.Load(s); ok {
		r.abortIf(h.(*holding), func(*transaction) bool { return true })
	}
}

// Changed has the open transactions aborted whose right the account has lost
// (rule 3).
func (r *Relay) Changed(username string) {
	for _, h := range r.open.of(username) {
		known := h.session.Snapshot()
		r.abortIf(h, func(t *transaction) bool { return !known.Allows(t.environment, t.needs()) })
	}
}

func (r *Relay) abortIf(h *holding, of func(*transaction) bool) {
	h.mu.Lock()
	l, aborts := h.login, r.takeIf(h, of)
	h.mu.Unlock()
	if len(aborts) > 0 {
		r.endings.add(&task{holding: h, login: l, aborts: aborts})
	}
}

// takeIf takes transactions out of what the session holds, the oldest first, to be
// aborted. h.mu is held.
func (r *Relay) takeIf(h *holding, of func(*transaction) bool) (taken []*transaction) {
	for _, t := range h.transactions {
		if of(t) {
			taken = append(taken, t)
		}
	}
	slices.SortFunc(taken, func(a, b *transaction) int { return cmp.Compare(a.timestamp, b.timestamp) })
	for _, t := range taken {
		r.remove(h, t)
	}
	h.aborting.Add(int32(len(taken)))
	return taken
}

// settleWithin is how long the upstream may take to abort a transaction or to log
// out, when nobody waits for it.
const settleWithin = 30 * time.Second

// settle carries a task out. An error says that the upstream is away: the task,
// which knows how far it has come, is to be tried again.
func (r *Relay) settle(t *task) error {
	for len(t.aborts) > 0 {
		err := r.abortNow(t)
		if err == errStale && !t.renewed {
			l, err := r.logIn(workers)
			if err != nil {
				return err
			}
			t.login, t.logout, t.renewed = l, true, true
			continue
		}
		if err != nil && err != errStale {
			return err
		}
		t.aborted(t.aborts[0])
		t.aborts = t.aborts[1:]
	}
	if !t.logout || t.login == nil {
		return nil
	}
	return r.logOut(t.login)
}

// logOut ends a login. No answer is worth a second try.
func (r *Relay) logOut(l *login) error {
	q := newRequest("logout")
	q.structure(1, l.token)
	q.binary(2, []byte(r.Environment))
	return r.ask(r.context, workers, q, r.settleLimit(), func(*message.Message) error { return nil })
}

// abortNow aborts the task's first transaction. Any answer but that of a stale
// token, which is errStale, says that it is not open any more.
func (r *Relay) abortNow(t *task) error {
	if t.login == nil {
		return errStale
	}
	q := newRequest("abort")
	q.structure(1, t.login.token)
	q.structure(2, t.aborts[0].token)
	q.binary(3, []byte(t.aborts[0].environment))
	return r.ask(r.context, workers, q, r.settleLimit(), func(m *message.Message) error {
		if isStale(m) {
			return errStale
		}
		return nil
	})
}

func (r *Relay) settleLimit() time.Duration { return min(settleWithin, r.ReplyTimeout) }

// gaveUp hears how much was left on an upstream that did not take it for too long.
func (r *Relay) gaveUp(l leftovers) {
	r.Logger.Error("the data server was away or gave no answer: what ended sessions held there stays", "transactions", l.transactions, "logins", l.logins)
}

// Close has what every session holds upstream aborted and logged out, until ctx
// ends, and closes every connection. An error says what was left. A call after
// Close is refused with Unavailable.
func (r *Relay) Close(ctx context.Context) error {
	if !r.closing.CompareAndSwap(false, true) {
		<-r.watched
		return nil
	}
	r.holdings.Range(func(_, h any) bool {
		r.end(h.(*holding))
		return true
	})
	r.endings.drain(ctx)
	r.endings.stop() // counts what the next lines cut off
	r.cancel()
	r.pool.close()
	left := r.endings.rest()
	<-r.watched
	if left != (leftovers{}) {
		return fmt.Errorf("%d transactions and %d logins", left.transactions, left.logins)
	}
	return nil
}
