package session

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// ErrPastLease says that the host has heard too little from the store to know
// whether a token or a login is good. It is an Unavailable, reason PAST_LEASE.
var ErrPastLease error = &account.Error{
	Kind: account.KindUnavailable, Reason: account.ReasonPastLease,
	Message: "the host is out of touch with the store of accounts; try again in a moment",
}

// lease is the end of what the host may take for known (rule 5).
type lease struct {
	until atomic.Pointer[time.Time] // nil: never extended

	mu      sync.Mutex
	renewed chan struct{} // closed by the next extension; nil: nobody waits
	storeID string
	reached account.Revision // the highest that was heard of that store
	named   bool             // storeID has been heard
}

// good reports whether the lease covers now by both clocks: the monotonic one
// may stand still while the machine sleeps, the wall clock may be set back.
func (l *lease) good(now time.Time) bool {
	until := l.until.Load()
	return until != nil && now.Before(*until) && now.Round(0).Before(*until)
}

func (l *lease) extend(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.until.Load(); old != nil && !until.After(*old) {
		return
	}
	l.until.Store(&until)
	if l.renewed != nil {
		close(l.renewed)
		l.renewed = nil
	}
}

// extension returns a channel that the next extension closes.
func (l *lease) extension() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed == nil {
		l.renewed = make(chan struct{})
	}
	return l.renewed
}

// replaced takes note of the store's identity and revision, and reports whether
// it is another store now, or the same put back to an earlier state.
func (l *lease) replaced(storeID string, at account.Revision) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := l.named && (l.storeID != storeID || at < l.reached)
	l.storeID, l.reached, l.named = storeID, at, true
	return changed
}

// Heartbeat extends the lease to run from readStarted, the time before the
// store's read was asked for; a lease never gets shorter. A store whose identity
// changed, or whose revision went back, was replaced or restored: that first
// ends every session and overtakes every login under way. It
// returns how many sessions it ended.
func (t *Table) Heartbeat(storeID string, at account.Revision, readStarted time.Time) (ended int) {
	if t.lease.replaced(storeID, at) {
		ended = t.endAll(StoreReplaced)
	}
	t.lease.extend(readStarted.Add(t.options.Lease))
	return ended
}

// AwaitLease returns when the lease is good. It refuses with ErrPastLease when
// ctx ends before that.
func (t *Table) AwaitLease(ctx context.Context) error {
	for {
		extended := t.lease.extension()
		if t.lease.good(t.options.Now()) {
			return nil
		}
		select {
		case <-extended:
		case <-ctx.Done():
			return ErrPastLease
		}
	}
}

// LeaseAge returns how long ago the newest read began from which the lease runs,
// by the clock that says more; false if there was none yet.
func (t *Table) LeaseAge() (age time.Duration, ok bool) {
	until, now := t.lease.until.Load(), t.options.Now()
	if until == nil {
		return 0, false
	}
	return t.options.Lease - min(until.Sub(now), until.Sub(now.Round(0))), true
}

// Leased reports whether the lease is good now.
func (t *Table) Leased() bool { return t.lease.good(t.options.Now()) }
