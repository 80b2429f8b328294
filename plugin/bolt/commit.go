package bolt

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// What one commit takes at most, in updates and in bytes that they write.
const (
	maxGroup      = 256
	maxGroupBytes = 8 << 20
)

// update is one Update on its way. Its function runs in its caller's own
// goroutine, so that a panic reaches the caller and nobody else, while the
// committer waits.
type update struct {
	ctx  context.Context
	turn chan *overlay // the committer lends the transaction
	back chan struct{} // the caller gives it back
	done chan struct{} // the outcome is known

	keep     bool             // fn returned nil
	revision account.Revision // the outcome
	err      error
}

// Update runs fn in a transaction that it shares with the updates that came in
// while the last commit was being written, one after another, and returns once
// that is on disk. An update that comes in alone waits for nobody. It ends with
// ctx only before fn has begun.
//
// bbolt's own Batch is not used because it waits for company, and runs all
// functions again, each alone, if one fails.
func (s *Store) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.calls.Done()
	u := &update{
		ctx: ctx, turn: make(chan *overlay),
		back: make(chan struct{}), done: make(chan struct{}),
	}
	select {
	case s.queue <- u:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	select {
	case o := <-u.turn:
		u.run(o, fn)
	case <-u.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	<-u.done
	return u.revision, u.err
}

func (u *update) run(o *overlay, fn func(users.Tx) error) {
	defer close(u.back) // after a panic too
	u.err = fn(o)
	u.keep = u.err == nil
}

// lend runs the update over the state that the earlier ones of its group left.
// It reports whether the update was still wanted.
func (u *update) lend(o *overlay) bool {
	if u.ctx.Err() != nil {
		return false
	}
	select {
	case u.turn <- o:
		<-u.back
		return true
	case <-u.ctx.Done():
		return false
	}
}

func (u *update) answer(at account.Revision, err error) {
	if u.err == nil || err != nil {
		u.revision, u.err = at, err
	}
	close(u.done)
}

// commitGroups is the committer: the only writer of the file.
func (s *Store) commitGroups() {
	defer close(s.committed)
	for first := range s.queue {
		s.commitGroup(first)
	}
}

// group is what one commit takes.
type group struct {
	updates []*update
	at      []account.Revision // of each update
	events  []users.Event
	reached account.Revision
	bytes   int
	changed bool
}

func (s *Store) commitGroup(first *update) {
	g := &group{}
	err := s.feed.ended()
	if err == nil {
		err = s.gather(g, first)
	} else {
		g.take(first)
	}
	if err == nil && g.changed {
		s.feed.publish(g.reached, g.events)
	}
	for i, u := range g.updates {
		if err != nil {
			u.answer(0, err)
		} else {
			u.answer(g.at[i], nil)
		}
	}
}

func (g *group) take(u *update) {
	g.updates = append(g.updates, u)
	g.at = append(g.at, g.reached)
}

// gather runs the updates that wait and commits what they wrote. An error is
// that of all of them: even what one of them merely read may never have been.
func (s *Store) gather(g *group, first *update) error {
	tx, err := s.db.Begin(true)
	if err != nil {
		g.take(first)
		return account.Unavailable("the store %s cannot be written: %v", s.path, err)
	}
	g.reached = revision(tx)
	for u := first; u != nil; u = s.next(g) {
		o := &overlay{reader: reader{ctx: u.ctx, tx: tx}}
		if !u.lend(o) {
			u.answer(0, u.ctx.Err())
			continue
		}
		if u.keep {
			err = g.merge(o)
		}
		g.take(u)
		if err != nil {
			break
		}
	}
	if err != nil || !g.changed {
		tx.Rollback()
		return err
	}
	if err := s.commit(tx); err != nil {
		return s.settle(g.reached, err)
	}
	return nil
}

// next returns an update that already waits, or nil if there is none or the
// group is full.
func (s *Store) next(g *group) *update {
	if len(g.updates) >= maxGroup || g.bytes >= maxGroupBytes {
		return nil
	}
	select {
	case u := <-s.queue: // nil when closed
		return u
	default:
		return nil
	}
}

func (g *group) merge(o *overlay) error {
	events, changed, err := o.merge()
	if err != nil || !changed {
		return err
	}
	next, err := o.tx.Bucket(fileBucket).NextSequence()
	if err != nil {
		return err
	}
	g.reached, g.changed = account.Revision(next), true
	g.bytes += o.bytes
	for i := range events {
		events[i].Revision = g.reached
	}
	g.events = append(g.events, events...)
	return nil
}

// settle finds out what became of a commit that failed. If bbolt could not
// write its pages the old state stands, and so may the store. If it could not
// sync the page that makes the new state current, that state can be read but
// need not be on disk, and to write on would reuse pages that the old one
// still needs: then the store fails for good.
func (s *Store) settle(attempted account.Revision, cause error) error {
	var now account.Revision
	err := s.db.View(func(tx *bbolt.Tx) error {
		now = revision(tx)
		return nil
	})
	if err == nil && now < attempted {
		return account.Unavailable("the store %s cannot be written: %v", s.path, cause)
	}
	failed := account.Unavailable("the store %s failed in a commit and must be opened anew: %v", s.path, cause)
	s.feed.end(failed)
	if s.failed != nil {
		s.failed(failed)
	}
	return fmt.Errorf("the store %s failed in a commit that may or may not hold: %w", s.path, cause)
}
