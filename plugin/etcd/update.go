package etcd

import (
	"context"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// eagerRuns is how often an Update runs before it lets others go first.
const eagerRuns = 3

// Update runs fn over the state of one revision, and commits what it wrote if
// none of the keys that it read by Get, or writes, has changed since. Otherwise
// fn runs again, over the state in which the commit failed, until ctx ends: then
// it is a Conflict. A function that wrote nothing has read one state, so that
// nothing is left to do.
//
// fn runs again as well, over a state that is read anew, if etcd does not say
// what became of a commit (see update.doubt).
func (s *Store) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.calls.Done()
	u := &update{store: s, ctx: ctx}
	defer func() {
		if u.cancel != nil {
			u.cancel()
		}
	}()
	r := newReader(ctx, s, patience*s.options.RequestTimeout)
	for run := 0; ; run++ {
		if run >= eagerRuns && !pause(u.ctx, run-eagerRuns) {
			return 0, u.failure(s.unreachable(u.ctx, u.last))
		}
		t := &tx{reader: r, written: map[string][]byte{}}
		err := fn(t)
		if err == nil {
			t.lookUp()
		}
		switch {
		case t.lost && u.ctx.Err() == nil:
			r = newReader(u.ctx, s, t.patience)
			continue
		case t.err != nil:
			return 0, u.failure(t.err)
		case err != nil || len(t.written) == 0:
			return u.end(t, err)
		}
		at, newer, err := u.commit(t)
		if err != nil || newer == nil {
			return account.Revision(at), err
		}
		r = newer
	}
}

// update is an Update under way.
type update struct {
	store  *Store
	ctx    context.Context // ends within patience once etcd has not answered
	cancel context.CancelFunc

	conflicts int
	tokens    int   // that etcd refused
	tries     int   // that came to nothing
	last      error // why, the last time
	doubts    []*tx // commits of which nobody knows whether they were made
}

// commit asks for the commit. It returns the revision, or a reader for another
// run.
func (u *update) commit(t *tx) (at int64, next *reader, err error) {
	if u.ctx.Err() != nil {
		return 0, nil, u.failure(u.store.unreachable(u.ctx, u.last))
	}
	answer, err := u.store.send(u.ctx, t)
	switch {
	case err == nil && answer.Succeeded:
		return answer.Header.Revision, nil, nil
	case err == nil:
		u.conflicts++
		return 0, t.after(answer), nil
	case !refuses(err):
		u.doubt(t, err)
	case outdated(err):
		if u.tokens++; u.tokens == mostTokens {
			return 0, nil, u.failure(u.store.refusal(err))
		}
	case !passing(err):
		return 0, nil, u.failure(u.store.refusal(err))
	}
	u.last = err
	longest := commitPatience * u.store.options.RequestTimeout
	if u.cancel == nil {
		u.ctx, u.cancel = context.WithTimeout(u.ctx, longest)
	}
	if !pause(u.ctx, u.tries) {
		return 0, nil, u.failure(u.store.unreachable(u.ctx, err))
	}
	u.tries++
	return 0, newReader(u.ctx, u.store, longest), nil
}

// doubt keeps in mind a commit that may have been made, or may still be on its
// way to etcd. fn may run again all the same, since what it does depends on
// nothing but what it reads:
//
//   - If the commit was made, fn finds its effect: its own request record, or
//     the state that it was to bring about.
//   - If it is still on its way, the next commit compares the same keys, and
//     writes them. Only one of the two can be made.
//   - If fn refuses now, or has nothing to write, a key that the commit compares
//     has changed: it was made, or cannot be any more. end makes sure of that.
//
// A key that exists never has an old revision again, but an absent one may be
// absent again. So whoever creates what others delete leaves a record that
// outlives any request, as plugin/users does for a day.
func (u *update) doubt(t *tx, cause error) {
	u.doubts = append(u.doubts, t)
	u.store.options.Logger.Info("etcd did not say whether a change was made; it is looked up", "cause", reason(cause))
}

// end is the end that fn wants: it has refused, or has nothing to write.
func (u *update) end(t *tx, refusal error) (account.Revision, error) {
	for _, d := range u.doubts {
		if !d.superseded(t.reader) {
			return 0, u.store.uncertain(u.last)
		}
	}
	if refusal != nil {
		return 0, refusal
	}
	at := t.Revision()
	if t.err != nil {
		return 0, u.failure(t.err)
	}
	return at, nil
}

// failure is what an Update ends with that err prevents from going on: an
// *account.Error only if no commit is in doubt.
func (u *update) failure(err error) error {
	switch {
	case len(u.doubts) > 0:
		return u.store.uncertain(u.last)
	case u.conflicts > 0 && u.ctx.Err() != nil:
		return account.Conflict("others changed the same at the same time, %d times; try again", u.conflicts)
	}
	return err
}
