package etcd

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// FuzzTake has etcd deliver changes of whatever keys there are below the accounts,
// as anybody may make who writes to the cluster: each that could be an account's
// arrives once, in order, as what it is, and none is taken for progress.
func FuzzTake(f *testing.F) {
	f.Add("jeff", []byte("{}"), int64(5), false, "root", []byte(nil), int64(6), true)
	f.Add("", []byte("{}"), int64(5), false, "\xff", []byte(""), int64(5), false)
	f.Add("a/b", []byte("x"), int64(7), true, "a", []byte("y"), int64(6), false)
	f.Add("\x00", []byte("x"), int64(-1), false, "0", []byte("y"), int64(1)<<62, false)
	f.Add(strings.Repeat("k", 300), []byte("x"), int64(9), false, "z", []byte(strings.Repeat("y", 1000)), int64(9), false)
	f.Fuzz(func(t *testing.T, first string, value []byte, at int64, gone bool, second string, other []byte, then int64, goneToo bool) {
		const reached = 4
		begin, _, err := layout{DefaultPrefix}.space(users.Accounts)
		if err != nil {
			t.Fatal(err)
		}
		w := &watcher{ready: make(chan struct{}, 1), asked: make(chan struct{}, 1), reached: reached}
		w.life, w.cancel = context.WithCancel(t.Context())
		defer w.cancel()
		change := func(name string, value []byte, at int64, gone bool) *clientv3.Event {
			kind := mvccpb.PUT
			if gone {
				kind = mvccpb.DELETE
			}
			return &clientv3.Event{Type: kind, Kv: &mvccpb.KeyValue{Key: []byte(begin + name), Value: value, ModRevision: at}}
		}
		w.take(&clientv3.WatchResponse{
			Header: &etcdserverpb.ResponseHeader{Revision: max(at, then)},
			Events: []*clientv3.Event{change(first, value, at, gone), change(second, other, then, goneToo)},
		}, len(begin))
		var want []string
		for _, c := range []struct {
			name string
			at   int64
		}{{first, at}, {second, then}} {
			if c.at > reached && c.name != "" {
				want = append(want, c.name)
			}
		}
		var got []string
		for {
			e, err, ok := w.pop()
			if !ok {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if e.Name == "" {
				t.Errorf("progress that nobody asked for: %+v", e)
			}
			got = append(got, e.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if w.reached < reached || w.bytes != 0 {
			t.Errorf("reached %d, with %d bytes unread", w.reached, w.bytes)
		}
	})
}

// FuzzKey: what is a name becomes a key in its own space, alone, and in the order
// of the names.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"", "jeff", "\xff", "\x00", "a/b", "../meta/store", "0", strings.Repeat("k", 255), strings.Repeat("k", 256)} {
		f.Add(seed, "jeff")
	}
	f.Fuzz(func(t *testing.T, name, other string) {
		l := layout{DefaultPrefix}
		for _, space := range users.Spaces() {
			begin, end, err := l.space(space)
			if err != nil {
				t.Fatal(err)
			}
			key, err := l.key(users.Key{Space: space, Name: name})
			if ok := name != "" && len(name) <= users.MaxName; ok != (err == nil) {
				t.Errorf("%q in %s: %v", name, space, err)
			}
			if err != nil {
				continue
			}
			if key <= begin || key >= end || key[len(begin):] != name {
				t.Errorf("%q in %s is the key %q", name, space, key)
			}
			if beside, err := l.key(users.Key{Space: space, Name: other}); err == nil && (name < other) != (key < beside) {
				t.Errorf("%q and %q are the keys %q and %q", name, other, key, beside)
			}
		}
	})
}

// FuzzOptions: settings are refused as such, in words that print and show no
// password, or are complete.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{
		"127.0.0.1:2379", "http://127.0.0.1:2379", "https://etcd.example:2379", "https://user:hunter2@etcd:2379", "http://[::1]:2379/x?y#z", "ftp://x:1",
		"unix:///tmp/s", ":2379", "x", "http://\x00:1", "a b:1", "https://etcd:99999", "https://\u202e:1", "http://[fe80::1%25\u009b]:1",
	} {
		f.Add(seed, "/concourse/users/", "", true)
		f.Add(seed, "\u202e", "root", false)
	}
	const password = "hunter2"
	f.Fuzz(func(t *testing.T, endpoint, prefix, username string, trusts bool) {
		given := Options{Endpoints: []string{endpoint}, Prefix: prefix, Username: username, Password: account.Secret(password)}
		if trusts {
			given.CAFile = "/ca.pem"
		}
		o, err := given.complete()
		if err != nil {
			m := err.Error()
			if account.KindOf(err) != account.KindInvalid || strings.ContainsFunc(m, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q, %q are refused with %q", endpoint, prefix, m)
			}
			told := strings.Contains(prefix+username, password) || strings.Contains(endpoint, password) && !strings.Contains(endpoint, "@")
			if !told && strings.Contains(m, password) {
				t.Errorf("the password is told: %s", m)
			}
			return
		}
		if !strings.HasSuffix(o.Prefix, "/") || len(o.Prefix) > mostPrefix || strings.ContainsFunc(o.Prefix, unicode.IsSpace) {
			t.Errorf("the prefix %q is accepted as %q", prefix, o.Prefix)
		}
		if e := o.Endpoints[0]; len(o.Endpoints) != 1 || strings.Contains(e, "@") || !strings.HasPrefix(e, "http") || trusts && !secure(e) {
			t.Errorf("%q is accepted as %q", endpoint, o.Endpoints)
		}
	})
}
