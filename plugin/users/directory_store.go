package users

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// longestLoad bounds one Load, whoever waits for it.
const longestLoad = 30 * time.Second

// directoryStore is the Store over a Directory.
type directoryStore struct {
	id       string
	source   Directory
	verifier Verifier // the source, if it is one
	hasher   *hasher
	meta     map[string][]byte
	secret   string // chooses decoys; the process's own

	closing context.Context // ends when Close begins
	close   context.CancelFunc
	begun   atomic.Uint64 // Loads
	current atomic.Pointer[directoryState]

	loading  chan struct{} // held by whoever asks the source; guards the next four
	answered uint64        // the Load that outcome is of
	outcome  error
	refused  error  // why what the source told last is not acceptable
	said     string // what the log was told of outcome

	mu       sync.Mutex // guards the rest, and the order of events
	watchers map[*directoryWatcher]struct{}
	closed   bool
	calls    sync.WaitGroup // under way; added to only while it is not closed
}

var _ Store = (*directoryStore)(nil)

func newDirectoryStore(id string, source Directory) *directoryStore {
	s := &directoryStore{
		id: id, source: source, hasher: newHasher(), secret: rand.Text(), loading: make(chan struct{}, 1),
		refused:  errors.New("the directory says that nothing has changed before it has told anything"),
		watchers: map[*directoryWatcher]struct{}{},
	}
	s.verifier, _ = source.(Verifier)
	s.closing, s.close = context.WithCancel(context.Background())
	var err error
	if s.meta, err = directoryMeta(id); err != nil {
		panic(err) // it has no value that JSON lacks
	}
	s.current.Store(&directoryState{})
	return s
}

// View runs fn over what the directory tells now.
func (s *directoryStore) View(ctx context.Context, fn func(Reader) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.calls.Done()
	if err := s.refresh(ctx); err != nil {
		return err
	}
	return fn(s.current.Load())
}

// Update runs fn, and refuses what it would write.
func (s *directoryStore) Update(ctx context.Context, fn func(Tx) error) (at account.Revision, err error) {
	err = s.View(ctx, func(r Reader) error {
		at = r.Revision()
		return fn(readOnlyTx{r})
	})
	return at, err
}

type readOnlyTx struct{ Reader }

func (readOnlyTx) Put(Key, []byte) error { return account.Unsupported(account.CapabilityChange) }
func (readOnlyTx) Delete(Key) error      { return account.Unsupported(account.CapabilityChange) }

// Close gives up a Load under way.
func (s *directoryStore) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for w := range s.watchers {
		w.end(errDirectoryClosed())
	}
	s.mu.Unlock()
	s.close()
	s.calls.Wait()
	return s.source.Close()
}

func errDirectoryClosed() error { return account.Unavailable("the directory is closed") }

// enter begins a call, which ends with calls.Done.
func (s *directoryStore) enter(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errDirectoryClosed()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.calls.Add(1)
	return nil
}

// refresh asks the directory, unless another call has begun to since this one,
// and was answered.
func (s *directoryStore) refresh(ctx context.Context) error {
	since := s.begun.Load()
	select {
	case s.loading <- struct{}{}:
	case <-s.closing.Done():
		return errDirectoryClosed()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.loading }()
	if s.answered > since {
		return s.outcome
	}
	number := s.begun.Add(1)
	entries, err := s.load()
	switch {
	case err == nil:
		s.refused = s.take(entries)
		err = s.refused
	case errors.Is(err, ErrUnchanged):
		err = s.refused
	case s.closing.Err() != nil:
		return errDirectoryClosed()
	}
	s.tell(err)
	s.answered, s.outcome = number, nil
	if err != nil {
		s.outcome = &unread{err}
	}
	if ctx.Err() != nil {
		return ctx.Err() // which says nothing to others
	}
	return s.outcome
}

// load goes on when whoever asked has given up: a directory may have noted
// already that it has told what it then would not tell.
func (s *directoryStore) load() ([]Entry, error) {
	ctx, cancel := context.WithTimeout(s.closing, longestLoad)
	defer cancel()
	return s.source.Load(ctx)
}

// decoy returns a hash to spend time on for a name that has none.
func (s *directoryStore) decoy(name string) string {
	if normal, err := account.NormalizeUsername(name); err == nil {
		name = normal
	}
	return s.current.Load().decoy(s.secret, name)
}

// take makes entries the state, and tells the watchers what changed.
func (s *directoryStore) take(entries []Entry) error {
	before := s.current.Load()
	next, err := s.next(before, entries)
	if err != nil {
		return err
	}
	changes := differences(before, next)
	if before.meta != nil && len(changes) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.Store(next)
	for w := range s.watchers {
		w.push(changes...)
	}
	return nil
}

// tell tells the log what has not been told.
func (s *directoryStore) tell(err error) {
	switch log := hclog.L().Named("directory"); {
	case err == nil && s.said != "":
		s.said = ""
		log.Info("the accounts can be read again")
	case err != nil && s.said != err.Error():
		s.said = err.Error()
		log.Error("the accounts cannot be read; hosts refuse once their lease is over", "error", err)
	}
}

// unread is why the accounts cannot be read. To callers, who may be anybody, it
// is an *account.Error without the cause, unless that is one.
type unread struct{ cause error }

func (e *unread) Error() string { return "the accounts cannot be read: " + e.cause.Error() }

func (e *unread) Unwrap() error {
	if refusal, ok := errors.AsType[*account.Error](e.cause); ok {
		return refusal
	}
	return account.Unavailable("the accounts cannot be read at the moment; the log of the host says why")
}
