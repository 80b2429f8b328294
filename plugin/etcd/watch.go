package etcd

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// mostSilence is how long a stream may leave progress unanswered, in request
// timeouts; then it is taken for one that leads to a member which is stopped, or
// cut off.
const mostSilence = 1.5

// Watch streams the changes of accounts from now on. The client goes on at
// another member, and from the same revision, when the stream's connection is
// lost; the watcher ends when etcd ends the watch, with ErrFellBehind, and when
// progress is not answered, with Unavailable.
func (s *Store) Watch(ctx context.Context) (users.Watcher, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.calls.Done()
	begin, end, err := s.layout.space(users.Accounts)
	if err != nil {
		return nil, err
	}
	latest, cluster, err := s.position(ctx)
	if err != nil {
		return nil, err
	}
	w := &watcher{
		store: s, cluster: cluster, done: make(chan struct{}), reached: latest,
		ready: make(chan struct{}, 1), asked: make(chan struct{}, 1),
	}
	var responses clientv3.WatchChan
	err = s.ask(ctx, func(attempt context.Context) error {
		responses, err = w.open(attempt, begin, end)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.watchers[w] = struct{}{}
	s.mu.Unlock()
	go w.run(responses, len(begin))
	return w, nil
}

// open opens a stream at some member, which may refuse it if it knows no leader.
func (w *watcher) open(ctx context.Context, begin, end string) (clientv3.WatchChan, error) {
	w.stream = clientv3.NewWatcher(w.store.client)
	w.life, w.cancel = context.WithCancel(clientv3.WithRequireLeader(context.Background()))
	kept := context.AfterFunc(ctx, w.cancel)
	responses := w.stream.Watch(w.life, begin, clientv3.WithRange(end), clientv3.WithRev(w.reached+1),
		clientv3.WithCreatedNotify(), clientv3.WithFragment())
	err := context.DeadlineExceeded // the channel ends with ctx
	select {
	case r, more := <-responses:
		switch {
		case more && r.Err() != nil:
			err = r.Err()
		case more && kept():
			return responses, nil
		}
	case <-ctx.Done():
	}
	w.cancel()
	w.stream.Close()
	return nil, err
}

// run reads the stream until it or the watcher ends.
func (w *watcher) run(responses clientv3.WatchChan, begin int) {
	var asking sync.WaitGroup
	asking.Go(w.ask)
	why := errors.New("the watch ended")
	for r := range responses {
		if err := r.Err(); err != nil {
			why = w.ending(err)
			break
		}
		w.take(&r, begin)
	}
	w.end(why)
	asking.Wait()
	w.stream.Close()
	w.store.mu.Lock()
	delete(w.store.watchers, w)
	w.store.mu.Unlock()
	close(w.done)
}

// ending says what it means to the reader that etcd ended the watch.
func (w *watcher) ending(err error) error {
	switch {
	case is(err, rpctypes.ErrNoLeader):
		return account.Unavailable("etcd at %s: the member that is watched has no leader", w.store.where())
	case is(err, rpctypes.ErrPermissionDenied, rpctypes.ErrAuthFailed, rpctypes.ErrInvalidAuthToken):
		return w.store.refusal(err)
	}
	return users.ErrFellBehind
}

// ask asks for progress while it is wanted: a member does not answer while it is
// behind, or a stream of its own is, and a request is lost with its connection.
func (w *watcher) ask() {
	silence := time.Duration(mostSilence * float64(w.store.options.RequestTimeout))
	for {
		select {
		case <-w.asked:
		case <-w.life.Done():
			return
		}
		for try := 0; ; try++ {
			wanted, since := w.wants()
			if !wanted {
				break
			}
			if time.Since(since) > silence {
				w.store.connections.breakSilent(since)
				w.end(account.Unavailable("etcd at %s: the member that is watched was silent for %s", w.store.where(), silence))
				return
			}
			ctx, cancel := context.WithTimeout(w.life, silence)
			w.stream.RequestProgress(ctx) // what it says of its failures is that it is not answered
			cancel()
			if !pause(w.life, try) {
				return
			}
		}
	}
}

func (w *watcher) wants() (wanted bool, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wanted != 0, w.since
}
