package bolt

import (
	"context"
	"errors"
	"sync"

	hclog "github.com/hashicorp/go-hclog"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Store is a users.Store in one bbolt file. Any number of goroutines may use
// it. A function given to View must not call Update: the update may have to
// wait for the view to end.
type Store struct {
	path   string
	db     *bbolt.DB
	logger hclog.Logger
	failed func(error)
	commit func(*bbolt.Tx) error // (*bbolt.Tx).Commit

	queue     chan *update
	committed chan struct{} // closed when the committer has ended
	feed      *feed

	mu      sync.Mutex     // guards closed and why, and calls against their being set
	closed  bool           // no Update gets in any more
	why     error          // what it is told
	calls   sync.WaitGroup // Updates under way
	retired chan struct{}  // closed when none is, and none will be
	release func() error   // lets go of the file; once
}

var (
	_ users.Store    = (*Store)(nil)
	_ users.Replacer = (*Store)(nil)
)

// start begins to commit. Close ends the committer.
func start(db *bbolt.DB, path string, reached account.Revision, o Options) *Store {
	s := &Store{
		path: path, db: db, logger: o.Logger, failed: o.Failed, commit: (*bbolt.Tx).Commit,
		queue: make(chan *update, maxGroup), committed: make(chan struct{}), feed: newFeed(reached),
		retired: make(chan struct{}),
	}
	s.release = sync.OnceValue(db.Close)
	go s.commitGroups()
	return s
}

// View reads the newest state, and returns once that state is on disk: bbolt
// shows a commit to readers just before it is.
func (s *Store) View(ctx context.Context, fn func(users.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.feed.ended(); err != nil {
		return err
	}
	var seen account.Revision
	err := s.db.View(func(tx *bbolt.Tx) error {
		seen = revision(tx)
		return fn(&reader{ctx: ctx, tx: tx})
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return s.errClosed()
	}
	if waited := s.feed.wait(ctx, seen); waited != nil {
		return waited
	}
	return err
}

// Watch streams the changes of accounts from now on. The watcher lives until
// its Close or the store's.
func (s *Store) Watch(ctx context.Context) (users.Watcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.feed.watch()
}

// Close waits for the updates and views under way, ends the watchers, and lets
// go of the file.
func (s *Store) Close() error {
	s.retire(s.errClosed())
	return s.release()
}

// retire refuses what comes from now on, with the reason, and returns once no
// Update is under way and no watcher is open. It reports whether the store was
// in use until now.
func (s *Store) retire(why error) bool {
	s.mu.Lock()
	was := s.closed
	if !was {
		s.closed, s.why = true, why
	}
	s.mu.Unlock()
	if was {
		<-s.retired
		return false
	}
	s.calls.Wait()
	close(s.queue)
	<-s.committed
	s.feed.end(why)
	close(s.retired)
	return true
}

// enter counts an Update, so that Close waits for it.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.why
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) errClosed() error { return account.Unavailable("the store %s is closed", s.path) }
