package users

import (
	"context"
	"errors"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Store is what a backend author in Go implements to get all of this package's
// logic: an ordered map of small values with serializable transactions and a
// stream of changes.
//
// A Store returns its own errors as they are; the Service wraps them once. It
// may return *account.Error itself for what a caller can act on, such as
// Unavailable when its server cannot be reached; what that says of an Update is
// told there.
type Store interface {
	// View runs fn over a linearizable read-only state: it sees every Update
	// that had returned before View was called.
	View(ctx context.Context, fn func(Reader) error) error

	// Update runs fn and commits what it wrote, all of it or nothing, durably
	// before it returns. It is serializable over the keys read by Get, absence
	// included: if another commit changed one of them in between, fn runs
	// again, so fn has no side effects and never hashes. An error from fn
	// writes nothing and comes back as it is. The revision is that of the
	// commit, greater than that of any earlier one.
	//
	// An *account.Error from Update, such as Unavailable, says that nothing was
	// written and never will be. An Update that may or may not have been
	// committed returns an error that neither is nor wraps one: it becomes an
	// internal error, which the host takes for a change that may have happened
	// and settles by the request's record (rule 2).
	Update(ctx context.Context, fn func(Tx) error) (account.Revision, error)

	// Watch streams the changes of the Accounts space that are committed after
	// it returns, until its Watcher or the store is closed. ctx bounds the
	// opening only.
	Watch(ctx context.Context) (Watcher, error)

	// Close waits for transactions under way, ends watchers, and lets go of
	// everything. What is called after it is refused with an error; a second
	// Close does nothing.
	Close() error
}

// Replacer is what a Store also is if all that it holds can be replaced at once,
// as a restore does.
type Replacer interface {
	// Replace calls fill once, and gives the store what that puts, and nothing
	// else, durably before it returns: whatever happens meanwhile, the store
	// holds either what it held or, once fill has returned nil, all of that. An
	// error from fill leaves it as it was and comes back as it is. fill may put
	// more than memory holds; it puts no key twice, and those of a space in
	// the order of their names; the values stay its own. Revisions go on from
	// where they were.
	//
	// However it ends, only Close may follow; everything else is refused. Open
	// then finds what the store holds.
	Replace(ctx context.Context, fill func(put func(Key, []byte) error) error) error
}

// Reader reads one state of the store. It is good only inside its transaction,
// and so are the values that it returns.
type Reader interface {
	// Revision is the position of the newest commit that this state includes.
	Revision() account.Revision
	// Get returns nil for an absent key.
	Get(Key) ([]byte, error)
	// Scan calls fn for each key of the space whose name sorts, as bytes, after
	// the given one, in order, until fn returns an error; ErrStop ends it
	// without one. It is for listings: it is not among the reads that Update
	// is serializable over.
	Scan(space Space, after string, fn func(name string, value []byte) error) error
}

// Prefetcher is what a Reader, or a Tx, also is if reading many keys at once is
// cheaper than one by one.
type Prefetcher interface {
	// Prefetch reads keys that Get is about to be asked for. What Get then
	// returns is the same as without it; so is what Update is serializable
	// over: keys that were only prefetched are not among it.
	Prefetch(keys []Key) error
}

// prefetch does nothing for a Reader that is no Prefetcher.
func prefetch(r Reader, keys []Key) error {
	if p, ok := r.(Prefetcher); ok {
		return p.Prefetch(keys)
	}
	return nil
}

// Tx is a Reader that also writes. It reads its own writes by Get.
type Tx interface {
	Reader
	Put(key Key, value []byte) error
	Delete(Key) error
}

// ErrStop ends a Scan early.
var ErrStop = errors.New("stop scanning")

// Key names a value: a space and a name in it, of at most MaxName bytes and
// never empty. How the pair becomes a key is the store's own business, as long
// as names keep their byte order within a space.
type Key struct {
	Space Space
	Name  string
}

// MaxName bounds a key's name, in bytes.
const MaxName = 255

// Space divides the keys.
type Space string

// The spaces.
const (
	Meta     Space = "meta"     // the store's identity, the initialised marker, and the counter of enabled ADMINs
	Accounts Space = "accounts" // accounts by username; the only space that is watched
	Requests Space = "requests" // request records by request id
	SignIns  Space = "signins"  // the time of the last login by account id
)

// Spaces returns every space, for stores that prepare one place for each.
func Spaces() []Space { return []Space{Meta, Accounts, Requests, SignIns} }

// Watcher is one stream of changes. Only one goroutine calls Next; Progress and
// Close may be called from others.
type Watcher interface {
	// Next waits for the next event. Events come in the order of their
	// revisions; changes of one name that were committed together may be
	// merged into the last. It returns ErrFellBehind when events were lost.
	Next(ctx context.Context) (Event, error)
	// Progress asks for an event without a Name, whose Revision is one that
	// the stream has reached, at least that of every commit before the call.
	// Requests that are not yet answered may be answered together.
	Progress(ctx context.Context) error
	// Close ends the stream; a waiting Next returns an error.
	Close() error
}

// Event is one change, or progress if Name is empty. It is the receiver's own.
type Event struct {
	Revision account.Revision
	Name     string
	Value    []byte // nil: the key was deleted
}

// ErrFellBehind says that a watcher was too slow or the store too fast, and
// that events are missing; open a new one and read again.
var ErrFellBehind = errors.New("the watcher fell behind the store's changes")
