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

	mu     sync.Mutex     // guards closed, and calls against Close
	closed bool           //
	calls  sync.WaitGroup // Updates under way
}

var _ users.Store = (*Store)(nil)

// start begins to commit. Close ends the committer.
func start(db *bbolt.DB, path string, reached account.Revision, o Options) *Store {
	s := &Store{
		path: path, db: db, logger: o.Logger, failed: o.Failed, commit: (*bbolt.Tx).Commit,
		queue: make(chan *update, maxGroup), committed: make(chan struct{}), feed: newFeed(reached),
	}
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
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	close(s.queue)
	<-s.committed
	s.feed.end(s.errClosed())
	return s.db.Close()
}

// enter counts an Update, so that Close waits for it.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.errClosed()
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) errClosed() error { return account.Unavailable("the store %s is closed", s.path) }
