package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestCloseWaits tests the test: whether it tells stores that wait from those
// that don't.
func TestCloseWaits(t *testing.T) {
	t.Run("OfAStoreThatWaits", func(t *testing.T) {
		for _, s := range []users.Store{mem.New(), &refusing{Store: mem.New(), waits: true}} {
			if err := closeWaits(t.Context(), s); err != nil {
				t.Errorf("%T: %v", s, err)
			}
		}
	})
	t.Run("ErrDoesNotWait", func(t *testing.T) {
		for _, late := range []time.Duration{0, untilClosing / 5} {
			if err := closeWaits(t.Context(), &refusing{Store: mem.New(), late: late}); err == nil {
				t.Errorf("a Close that came after %s and did not wait passed", late)
			}
		}
	})
}

var errClosed = errors.New("the store is closed")

// refusing is a store that refuses calls from the moment on that Close begins,
// and whose Close may not wait for those under way.
type refusing struct {
	users.Store
	waits bool
	late  time.Duration // between the call of Close and its beginning

	mu     sync.Mutex // guards closed, and calls against Close
	closed bool
	calls  sync.WaitGroup
}

func (s *refusing) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.calls.Add(1)
	return nil
}

func (s *refusing) View(ctx context.Context, fn func(users.Reader) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.calls.Done()
	return s.Store.View(ctx, fn)
}

func (s *refusing) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.calls.Done()
	return s.Store.Update(ctx, fn)
}

func (s *refusing) Watch(ctx context.Context) (users.Watcher, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.calls.Done()
	return s.Store.Watch(ctx)
}

func (s *refusing) Close() error {
	time.Sleep(s.late)
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if s.waits {
		s.calls.Wait()
	}
	return nil
}
