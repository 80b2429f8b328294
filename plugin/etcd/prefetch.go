package etcd

import (
	"context"
	"slices"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/users"
)

var _ users.Prefetcher = (*reader)(nil)

// mostGets is how many keys are asked for at once. etcd takes up to 128
// operations, unless its operator says otherwise.
const mostGets = 100

// Prefetch asks for many keys in few requests. A commit does not depend on
// those that Get is not asked for.
func (r *reader) Prefetch(keys []users.Key) error {
	wanted := make([]string, 0, len(keys))
	for _, k := range keys {
		key, err := r.store.layout.key(k)
		if err != nil {
			return err
		}
		wanted = append(wanted, key)
	}
	return r.know(wanted)
}

// know reads the keys that are not known yet.
func (r *reader) know(keys []string) error {
	keys = slices.DeleteFunc(keys, func(key string) bool { return r.known[key] != nil })
	for some := range slices.Chunk(keys, mostGets) {
		var answer *clientv3.TxnResponse
		if err := r.read(func(attempt context.Context, at ...clientv3.OpOption) (int64, error) {
			gets := make([]clientv3.Op, 0, len(some))
			for _, key := range some {
				gets = append(gets, clientv3.OpGet(key, at...))
			}
			var err error
			if answer, err = r.store.client.Txn(attempt).Then(gets...).Commit(); err != nil {
				return 0, err
			}
			return answer.Header.Revision, nil
		}); err != nil {
			return err
		}
		for i, key := range some {
			r.known[key] = newEntry(answer.Responses[i].GetResponseRange().Kvs)
		}
	}
	return nil
}
