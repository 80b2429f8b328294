package etcd

import (
	"context"
	"maps"
	"slices"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// send asks etcd once to write what the transaction wrote, if no key that it
// read by Get, or writes, has changed, which includes a key's having come or
// gone. Where one has, the answer brings them all as they are now.
func (s *Store) send(ctx context.Context, t *tx) (answer *clientv3.TxnResponse, err error) {
	var unchanged []clientv3.Cmp
	var reads, writes []clientv3.Op
	for _, key := range t.compared() {
		unchanged = append(unchanged, clientv3.Compare(clientv3.ModRevision(key), "=", t.known[key].mod))
		reads = append(reads, clientv3.OpGet(key))
	}
	for key, value := range t.written {
		if value == nil {
			writes = append(writes, clientv3.OpDelete(key))
		} else {
			writes = append(writes, clientv3.OpPut(key, string(value)))
		}
	}
	err = s.attempt(ctx, func(attempt context.Context) error {
		answer, err = s.client.Txn(attempt).If(unchanged...).Then(writes...).Else(reads...).Commit()
		return err
	})
	return answer, err
}

// compared are the keys that a commit compares, in order.
func (t *tx) compared() []string {
	keys := slices.Collect(maps.Keys(t.written))
	for key, e := range t.known {
		if _, written := t.written[key]; e.read && !written {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// after returns a reader of the state in which a commit failed.
func (t *tx) after(answer *clientv3.TxnResponse) *reader {
	newer := newReader(t.ctx, t.store, t.patience)
	newer.at = answer.Header.Revision
	for i, key := range t.compared() {
		newer.known[key] = newEntry(answer.Responses[i].GetResponseRange().Kvs)
	}
	return newer
}

// superseded reports whether a later state shows that the commit was made, or
// cannot be made any more: a key that it compares has changed.
func (t *tx) superseded(later *reader) bool {
	return slices.ContainsFunc(t.compared(), func(key string) bool {
		now := later.known[key]
		return now != nil && now.mod != t.known[key].mod
	})
}
