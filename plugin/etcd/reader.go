package etcd

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// reader reads one state of the store: that of the revision which its first
// read, a linearizable one, finds. Later reads name that revision, so that any
// member may answer them from what it has.
type reader struct {
	ctx      context.Context
	store    *Store
	patience time.Duration // with each request

	at    int64             // 0: nothing was read yet
	known map[string]*entry // by etcd's key
	err   error             // why the state could not be read; the transaction fails
	lost  bool              // etcd has compacted the revision away
}

func newReader(ctx context.Context, s *Store, patience time.Duration) *reader {
	return &reader{ctx: ctx, store: s, patience: patience, known: map[string]*entry{}}
}

// entry is a key of etcd's in one state.
type entry struct {
	value []byte // nil: absent
	mod   int64  // the revision that wrote it; 0: absent
	read  bool   // by Get: the transaction depends on it
}

var _ users.Reader = (*reader)(nil)

// Revision reads one if nothing was read before. If that fails, so does the
// transaction.
func (r *reader) Revision() account.Revision {
	if r.at == 0 && r.err == nil {
		r.request(func(attempt context.Context) error {
			at, _, err := r.store.probe(attempt)
			if err == nil {
				r.at = at
			}
			return err
		})
	}
	return account.Revision(r.at)
}

// Get asks for one key.
func (r *reader) Get(k users.Key) ([]byte, error) {
	key, err := r.store.layout.key(k)
	if err != nil {
		return nil, err
	}
	e := r.known[key]
	if e == nil {
		found, err := r.fetch(key)
		if err != nil {
			return nil, err
		}
		e = newEntry(found.Kvs)
		r.known[key] = e
	}
	e.read = true
	return e.value, nil
}

func newEntry(found []*mvccpb.KeyValue) *entry {
	if len(found) == 0 {
		return &entry{}
	}
	return &entry{value: present(found[0].Value), mod: found[0].ModRevision}
}

// present is a value that is there, if it has no bytes too.
func present(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

// Pages begin small, because many a scan ends soon, and grow to what fits in a
// few messages: etcd counts all that is left in the range with every page.
const (
	firstPage = 32
	pageGrows = 4
	mostPage  = 4096
	pageBytes = 1 << 20 // a page that has more is not followed by a larger one
)

// Scan reads page by page. It begins behind the empty name, which no key of ours
// has, but anybody's may who writes to the cluster.
func (r *reader) Scan(space users.Space, after string, fn func(name string, value []byte) error) error {
	begin, end, err := r.store.layout.space(space)
	if err != nil {
		return err
	}
	from := begin + after + "\x00"
	for page := int64(firstPage); ; {
		found, err := r.fetch(from, clientv3.WithRange(end), clientv3.WithLimit(page))
		if err != nil {
			return err
		}
		bytes := 0
		for _, kv := range found.Kvs {
			bytes += len(kv.Key) + len(kv.Value)
			switch err := fn(string(kv.Key[len(begin):]), present(kv.Value)); {
			case errors.Is(err, users.ErrStop):
				return nil
			case err != nil:
				return err
			}
		}
		if !found.More || len(found.Kvs) == 0 {
			return nil
		}
		from = string(found.Kvs[len(found.Kvs)-1].Key) + "\x00"
		switch {
		case bytes*pageGrows <= pageBytes:
			page = min(page*pageGrows, mostPage)
		case bytes > pageBytes:
			page = max(page/2, 1)
		}
	}
}

// fetch asks for a key, or a range.
func (r *reader) fetch(key string, options ...clientv3.OpOption) (found *clientv3.GetResponse, err error) {
	err = r.read(func(attempt context.Context, at ...clientv3.OpOption) (int64, error) {
		found, err = r.store.client.Get(attempt, key, append(at, options...)...)
		if err != nil {
			return 0, err
		}
		return found.Header.Revision, nil
	})
	return found, err
}

// read asks at the reader's revision, which it fixes if nothing has yet. ask
// returns that of the state that it found.
func (r *reader) read(ask func(attempt context.Context, at ...clientv3.OpOption) (int64, error)) error {
	return r.request(func(attempt context.Context) error {
		if r.at == 0 {
			at, err := ask(attempt)
			r.at = at
			return err
		}
		_, err := ask(attempt, clientv3.WithRev(r.at), clientv3.WithSerializable())
		if errors.Is(err, rpctypes.ErrFutureRev) { // a member that lags behind asks the others then
			_, err = ask(attempt, clientv3.WithRev(r.at))
		}
		if errors.Is(err, rpctypes.ErrCompacted) {
			r.lost = true
			return account.Unavailable("etcd at %s compacted revision %d while it was being read; try again", r.store.where(), r.at)
		}
		return err
	})
}

// request makes a request, and keeps in mind why it failed.
func (r *reader) request(request func(context.Context) error) error {
	err := r.store.askFor(r.ctx, r.patience, request)
	if err != nil && r.err == nil {
		r.err = err
	}
	return err
}
