package users

import (
	"context"
	"errors"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// signIn is an accepted login that is still to be written down.
type signIn struct {
	username string
	id       account.ID
	at       time.Time
}

// signInValue is what the SignIns space keeps under an account id.
type signInValue struct {
	At time.Time `json:"at"`
}

const (
	signInQueue    = 1024        // logins that may wait to be written down
	signInInterval = time.Minute // at most one is written per account in this time
	lastSignIns    = time.Second // what those that wait are given at the end
)

func signInKey(id account.ID) Key { return Key{SignIns, string(id)} }

// lastSignIn returns when the account last logged in, zero for never.
func lastSignIn(r Reader, id account.ID) (time.Time, error) {
	var v signInValue
	_, err := get(r, signInKey(id), &v)
	return v.At, err
}

// signedIn hands a login to the background. It never waits: what does not fit
// into the queue is forgotten.
func (r *running) signedIn(in signIn) {
	select {
	case r.signIns <- in:
	default:
	}
}

// writeSignIns writes logins down until ctx ends, and then what is left in the
// queue, if the store is quick.
func (r *running) writeSignIns(ctx context.Context, logger hclog.Logger) {
	grace, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(lastSignIns):
			cancel()
		case <-grace.Done():
		}
	})()
	write := func(in signIn) {
		if err := writeSignIn(grace, r.store, in); err != nil {
			logger.Warn("a login could not be written down", "account_id", in.id, "error", err)
		}
	}
	for {
		select {
		case in := <-r.signIns:
			write(in)
			continue
		case <-ctx.Done():
		}
		for len(r.signIns) > 0 && grace.Err() == nil {
			write(<-r.signIns)
		}
		return
	}
}

// writeSignIn leaves alone a time that is recent, and an account that is gone.
// A time from further ahead is that of a clock that was set back since; one from
// just ahead may be another host's.
func writeSignIn(ctx context.Context, store Store, in signIn) error {
	_, err := store.Update(ctx, func(tx Tx) error {
		last, err := lastSignIn(tx, in.id)
		if err != nil {
			return err
		}
		if in.at.Sub(last).Abs() < signInInterval {
			return errNothingToDo
		}
		s, err := accountIn(tx, in.username)
		if err != nil {
			return err
		}
		if s == nil || s.ID != in.id {
			return errNothingToDo
		}
		return put(tx, signInKey(in.id), signInValue{At: in.at})
	})
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return err
}
