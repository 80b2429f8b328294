package users

import (
	"context"
	"errors"
	"sync"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Watch subscribes to the store before it answers anything. Then it delivers,
// from one goroutine, the changes in their order and the answers in the order
// of the requests: a Read with what a View saw, a Heartbeat once the stream has
// passed the revision of a View that began after the request (rule 5). A store
// that stalls answers neither. Snapshots may come out of the order of their
// revisions, a Read's ahead of an older change; the receiver keeps the newest.
//
// It returns nil when requests is closed, after what came before is answered;
// the error of ctx when that ends; and deliver's error as it is.
func (s *Service) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	run, err := s.running()
	if err != nil {
		return err
	}
	watcher, err := run.store.Watch(ctx)
	if err != nil {
		return attempted("watch the store", err)
	}
	within, cancel := context.WithCancel(ctx)
	w := &watch{
		store: run.store, watcher: watcher, deliver: deliver, load: s.hasher.load,
		changes: make(chan passed), answers: make(chan answer), failed: make(chan error, 2),
	}
	var sides sync.WaitGroup
	defer func() {
		cancel()
		watcher.Close()
		sides.Wait()
	}()
	sides.Go(func() { w.follow(within) })
	sides.Go(func() { w.serve(within, requests) })
	err = w.run(within)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// watch is one stream under way. follow and serve prepare, run delivers.
type watch struct {
	store   Store
	watcher Watcher
	deliver func(account.WatchEvent) error
	load    func() *account.Load

	changes chan passed // from follow
	answers chan answer // from serve, which closes it when there are no more requests
	failed  chan error  // from both
}

// passed is an event of the store: a change, or progress without one.
type passed struct {
	snapshot *account.Snapshot
	upTo     account.Revision // everything up to it has been passed with this event
}

// answer is what one request came to: snapshots, and a heartbeat to be
// delivered when its revision has been passed.
type answer struct {
	snapshots []account.Snapshot
	heartbeat *account.Heartbeat
}

// run delivers until a side fails, the requests are over, or ctx ends.
func (w *watch) run(ctx context.Context) error {
	var upTo account.Revision
	var waiting *account.Heartbeat
	for {
		answers := w.answers
		if waiting != nil {
			answers = nil // the order of requests
		}
		select {
		case c := <-w.changes:
			upTo = max(upTo, c.upTo)
			if c.snapshot != nil {
				if err := w.deliver(account.WatchEvent{Snapshot: c.snapshot}); err != nil {
					return err
				}
			}
		case a, more := <-answers:
			if !more {
				return nil
			}
			for i := range a.snapshots {
				if err := w.deliver(account.WatchEvent{Snapshot: &a.snapshots[i]}); err != nil {
					return err
				}
			}
			waiting = a.heartbeat
		case err := <-w.failed:
			if errors.Is(err, ErrFellBehind) {
				return account.Conflict("the watch fell behind the changes; open a new one and read again")
			}
			return attempted("watch the store", err)
		case <-ctx.Done():
			return ctx.Err()
		}
		if waiting != nil && upTo >= waiting.Revision {
			if err := w.deliver(account.WatchEvent{Heartbeat: waiting}); err != nil {
				return err
			}
			waiting = nil
		}
	}
}

// follow passes the store's events on, each as a snapshot.
func (w *watch) follow(ctx context.Context) {
	for {
		e, err := w.watcher.Next(ctx)
		if err != nil {
			w.failed <- err
			return
		}
		p := passed{upTo: e.Revision}
		if e.Name != "" {
			snapshot, err := snapshotOf(e.Name, e.Value, e.Revision)
			if err != nil {
				w.failed <- err
				return
			}
			// More changes of the same commit may follow this one.
			p = passed{snapshot: &snapshot, upTo: max(e.Revision, 1) - 1}
		}
		select {
		case w.changes <- p:
		case <-ctx.Done():
			return
		}
	}
}

// serve reads what the requests ask for, one by one.
func (w *watch) serve(ctx context.Context, requests <-chan account.WatchRequest) {
	for {
		select {
		case r, more := <-requests:
			if !more {
				close(w.answers)
				return
			}
			a, err := w.answer(ctx, r)
			if err != nil {
				w.failed <- err
				return
			}
			select {
			case w.answers <- a:
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (w *watch) answer(ctx context.Context, r account.WatchRequest) (a answer, err error) {
	if len(r.Read) > account.MaxBatch {
		return a, account.Invalid("read", "%d names are more than the %d that fit in one request", len(r.Read), account.MaxBatch)
	}
	err = w.store.View(ctx, func(v Reader) error {
		a = answer{}
		if err := prefetch(v, watched(r.Read)); err != nil {
			return err
		}
		for _, name := range r.Read {
			snapshot, err := snapshotIn(v, name)
			if err != nil {
				return err
			}
			a.snapshots = append(a.snapshots, snapshot)
		}
		if r.Heartbeat == 0 {
			return nil
		}
		id, err := storeIDIn(v)
		a.heartbeat = &account.Heartbeat{Number: r.Heartbeat, Revision: v.Revision(), StoreID: id, Load: w.load()}
		return err
	})
	if err == nil && a.heartbeat != nil {
		err = w.watcher.Progress(ctx)
	}
	return a, err
}

// watched are the keys of names that may be accounts'.
func watched(names []string) []Key {
	keys := make([]Key, 0, len(names))
	for _, name := range names {
		if isNormal(name) {
			keys = append(keys, Key{Accounts, name})
		}
	}
	return keys
}

func isNormal(name string) bool {
	normal, err := account.NormalizeUsername(name)
	return err == nil && normal == name
}

// snapshotIn says that a name in another than its normal form is nobody's.
func snapshotIn(r Reader, name string) (account.Snapshot, error) {
	if !isNormal(name) {
		return account.Snapshot{Username: name, Revision: r.Revision()}, nil
	}
	value, err := r.Get(Key{Accounts, name})
	if err != nil {
		return account.Snapshot{}, err
	}
	return snapshotOf(name, value, r.Revision())
}

func snapshotOf(name string, value []byte, at account.Revision) (account.Snapshot, error) {
	if value == nil {
		return account.Snapshot{Username: name, Revision: at}, nil
	}
	var s stored
	if err := decode(Accounts, value, &s); err != nil {
		return account.Snapshot{}, err
	}
	return s.account(name, s.CreatedAt).Snapshot(at), nil
}
