package etcd

import (
	"context"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Store is a users.Store in a cluster of etcd. Any number of goroutines, and of
// processes, may use one prefix.
type Store struct {
	options     Options
	layout      layout
	connections *connections
	client      *clientv3.Client
	opening     bool // what etcd refuses is the fault of a setting

	mu       sync.Mutex // guards what follows, and calls against closed's being set
	closed   bool
	calls    sync.WaitGroup // transactions, and watches being opened
	watchers map[*watcher]struct{}
	ended    chan struct{} // closed when Close is done
}

var _ users.Store = (*Store)(nil)

// newStore needs complete options, and a client before it is used.
func newStore(o Options) *Store {
	return &Store{
		options: o, layout: layout{o.Prefix}, connections: newConnections(o.DialTimeout),
		opening: true, watchers: map[*watcher]struct{}{}, ended: make(chan struct{}),
	}
}

// View runs fn over the state of one revision. What fn reads is asked for one by
// one, unless it prefetches, and each request ends with ctx, or after a few request timeouts. If etcd
// compacts the revision meanwhile, the rest is refused with Unavailable: fn may
// have passed on what it had read, and is not run again.
func (s *Store) View(ctx context.Context, fn func(users.Reader) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.calls.Done()
	r := newReader(ctx, s, patience*s.options.RequestTimeout)
	if err := fn(r); err != nil {
		return err
	}
	return r.err
}

// Close waits for the calls under way, ends the watchers, and disconnects.
func (s *Store) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		<-s.ended
		return nil
	}
	defer close(s.ended)
	s.calls.Wait()
	s.mu.Lock()
	open := s.watchers
	s.watchers = nil
	s.mu.Unlock()
	for w := range open {
		w.end(s.errClosed())
	}
	for w := range open {
		<-w.done
	}
	return s.client.Close()
}

// enter counts a call, so that Close waits for it.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.errClosed()
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) errClosed() error {
	return account.Unavailable("the store in etcd at %s is closed", s.where())
}
