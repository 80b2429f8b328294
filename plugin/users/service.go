package users

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Backend is what a backend author fills in: what the backend says of itself,
// and how its store is opened.
type Backend struct {
	Name    string
	Version string
	// Volatile says that the store's contents end with the process. The backend
	// then does not declare "durable".
	Volatile bool
	// Open opens the store, for longer than ctx lasts. The settings are the
	// operator's, without those that this package takes for itself
	// ("password.…"). An unknown key is refused with account.Invalid and the
	// field "plugin.settings.<key>"; a store that cannot be reached, or that
	// another process holds, with account.Unavailable.
	Open func(ctx context.Context, home string, settings map[string]string) (Store, error)
}

// Service is the users-management logic over the store of one backend. A
// process has one, so that its bound on concurrent hashing is the process's.
type Service struct {
	backend Backend
	logger  hclog.Logger
	hasher  *hasher

	lifecycle sync.Mutex // held by Configure and Close; guards closed
	closed    bool
	state     atomic.Pointer[running] // nil before Configure and after Close
}

var _ account.Users = (*Service)(nil)

// running is what Configure leaves behind for every other call.
type running struct {
	store   Store
	home    string // the host's
	policy  policy
	signIns chan signIn

	directory    *directoryStore // the store, if it is a Directory's
	capabilities []string

	replaced atomic.Bool // by Restore: only Close may follow

	stop       context.CancelFunc // ends the background work
	background sync.WaitGroup
}

// New returns a Service that has opened nothing yet. Close it, configured or
// not.
func New(backend Backend, logger hclog.Logger) *Service {
	return &Service{backend: backend, logger: logger, hasher: newHasher()}
}

// Configure opens the store and begins the background work. It refuses a store
// that a newer release wrote, which it leaves as it is, and a second call.
func (s *Service) Configure(ctx context.Context, c account.Configuration) (account.Description, error) {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	switch {
	case s.closed:
		return account.Description{}, account.Unavailable("the plugin is stopping")
	case s.state.Load() != nil:
		return account.Description{}, account.Invalid("configuration", "the plugin is configured already")
	}
	policy, rest, err := takePolicy(s.hasher.current, c.Home, c.Settings)
	if err != nil {
		return account.Description{}, err
	}
	store, err := s.backend.Open(ctx, c.Home, rest)
	if err != nil {
		return account.Description{}, attempted("open the store", err)
	}
	id, initialized, err := identify(ctx, store)
	if cause, ok := errors.AsType[*unread](err); ok { // an operator reads it, at a start
		err = account.Unavailable("%v", cause)
	}
	if err != nil {
		return account.Description{}, attempted("identify the store", errors.Join(err, store.Close()))
	}
	if err := tidy(c.Home); err != nil {
		s.logger.Warn("what a backup has left in the host's home cannot be removed", "error", err)
	}
	r := &running{store: store, home: c.Home, policy: policy, signIns: make(chan signIn, signInQueue)}
	r.directory, _ = store.(*directoryStore)
	r.capabilities = s.capabilities(store)
	var background context.Context
	background, r.stop = context.WithCancel(context.Background())
	if r.directory == nil { // which takes no writes
		r.background.Go(func() { r.writeSignIns(background, s.logger) })
		r.background.Go(func() { pruneHourly(background, store, s.logger) })
	}
	s.state.Store(r)
	return account.Description{
		Name: s.backend.Name, Version: s.backend.Version, Capabilities: slices.Clone(r.capabilities),
		StoreID: id, Initialized: initialized,
	}, nil
}

// capabilities are what this package makes of the store.
func (s *Service) capabilities(store Store) (all []string) {
	directory, readOnly := store.(*directoryStore)
	if !readOnly {
		all = append(all, account.CapabilityChange)
	}
	if !s.backend.Volatile {
		all = append(all, account.CapabilityDurable)
	}
	if readOnly {
		if directory.verifier == nil {
			all = append(all, account.CapabilityExport)
		}
		return all
	}
	all = append(all, account.CapabilityApply, account.CapabilityExport, account.CapabilityBackup, account.CapabilityRecover)
	if _, ok := store.(Replacer); ok {
		all = append(all, account.CapabilityRestore)
	}
	return all
}

// offers refuses what was not declared.
func (r *running) offers(capability string) error {
	if !slices.Contains(r.capabilities, capability) {
		return account.Unsupported(capability)
	}
	return nil
}

// Close stops the background work, waits for it, and closes the store. Calls
// that come later are refused with Unavailable.
func (s *Service) Close() error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	s.closed = true
	r := s.state.Swap(nil)
	if r == nil {
		return nil
	}
	r.stop()
	r.background.Wait()
	if err := r.store.Close(); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

// running returns what Configure left, or Unavailable.
func (s *Service) running() (*running, error) {
	if r := s.state.Load(); r != nil {
		if r.replaced.Load() {
			return nil, account.Unavailable("the plugin's store was to be replaced; the plugin must be started anew")
		}
		return r, nil
	}
	return nil, account.Unavailable("the plugin is not configured yet, or is stopping")
}

// attempted wraps an error that is not the caller's to act on, once, with what
// was tried. An *account.Error stays as it is: its message is a whole sentence.
func attempted(what string, err error) error {
	if err == nil {
		return nil
	}
	if refusal, ok := errors.AsType[*account.Error](err); ok {
		return refusal
	}
	return fmt.Errorf("%s: %w", what, err)
}
