package users

import (
	"context"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	pruneInterval = time.Hour
	// firstPrune leaves a host that was down for longer than records live the
	// time to read them: from them it writes the audit lines that a crash cost
	// (rule 12).
	firstPrune = 10 * time.Minute
	pruneBatch = 100 // records in one transaction, so that none holds others up
)

// pruneHourly removes expired request records, firstPrune from now and every
// hour from then on, until ctx ends.
func pruneHourly(ctx context.Context, store Store, logger hclog.Logger) {
	next := time.NewTimer(firstPrune)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			next.Reset(pruneInterval)
		case <-ctx.Done():
			return
		}
		if err := prune(ctx, store, time.Now().Add(-account.RecordLifetime)); err != nil && ctx.Err() == nil {
			logger.Warn("old request records could not be pruned", "error", err)
		}
	}
}

// prune removes the records written before the given time.
func prune(ctx context.Context, store Store, before time.Time) error {
	after := ""
	for {
		old, err := requestsBefore(ctx, store, after, before)
		if err != nil || len(old) == 0 {
			return err
		}
		keys := make([]Key, 0, len(old))
		for _, name := range old {
			keys = append(keys, Key{Requests, name})
		}
		if _, err := store.Update(ctx, func(tx Tx) error {
			if err := prefetch(tx, keys); err != nil {
				return err
			}
			for _, k := range keys {
				if err := pruneOne(tx, k, before); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		after = old[len(old)-1]
	}
}

// requestsBefore returns the next names whose ids carry an earlier time. A
// record is written after its id was made, so there is none to prune beyond
// the first younger one, but for clocks that differ: those wait an hour more.
func requestsBefore(ctx context.Context, store Store, after string, before time.Time) (names []string, err error) {
	err = store.View(ctx, func(r Reader) error {
		names = nil
		return r.Scan(Requests, after, func(name string, _ []byte) error {
			id, err := account.ParseRequestID(name)
			switch {
			case err != nil:
				return nil // not ours
			case !id.Time().Before(before):
				return ErrStop
			}
			if names = append(names, name); len(names) == pruneBatch {
				return ErrStop
			}
			return nil
		})
	})
	return names, err
}

// pruneOne reads again what it deletes. A record that nobody can read is of no
// use past its time either.
func pruneOne(tx Tx, k Key, before time.Time) error {
	value, err := tx.Get(k)
	if err != nil || value == nil {
		return err
	}
	var v requestValue
	if decode(Requests, value, &v) == nil && !v.At.Before(before) {
		return nil
	}
	return tx.Delete(k)
}
