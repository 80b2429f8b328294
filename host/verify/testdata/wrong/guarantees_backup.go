package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// Faults of backups.
var _ = add(map[string]fault{
	"backs-up-without-an-end": {users: backingUp(func(data []byte) []byte {
		return data[:bytes.LastIndexByte(data[:len(data)-1], '\n')+1]
	})},
	"backs-up-some-accounts": {users: backingUp(func(data []byte) []byte {
		return rewritten(data, func(e backup.Entry) bool {
			return e.Space != string(users.Accounts) || e.Name != "target" && e.Name != "jeff"
		})
	})},
	"backs-up-no-records": {users: backingUp(func(data []byte) []byte {
		return rewritten(data, func(e backup.Entry) bool { return e.Space != string(users.Requests) })
	})},
	"backs-up-while-it-changes": {store: func(s users.Store) users.Store {
		return wrapped{Store: s, Replacer: s.(users.Replacer), see: func(r users.Reader) users.Reader { return fuzzy{r, s} }}
	}},
	"restores-damaged-backups": {users: func(u account.Users) account.Users {
		return &restores{Users: u, read: mended}
	}},
	"keeps-the-store-id": {users: func(u account.Users) account.Users { return &restores{Users: u, keepsID: true} }},
	"restores-beside-what-was-there": {store: func(s users.Store) users.Store {
		return wrapped{Store: s, Replacer: adding{s}}
	}},
})

// backsUp alters its backups.
type backsUp struct {
	account.Users
	alter func([]byte) []byte
}

func backingUp(alter func([]byte) []byte) func(account.Users) account.Users {
	return func(u account.Users) account.Users { return backsUp{u, alter} }
}

func (b backsUp) Backup(ctx context.Context, w io.Writer) error {
	var data bytes.Buffer
	if err := b.Users.Backup(ctx, &data); err != nil {
		return err
	}
	_, err := w.Write(b.alter(data.Bytes()))
	return err
}

// rewritten is a whole backup of some of the entries of another.
func rewritten(data []byte, keep func(backup.Entry) bool) []byte {
	r, err := backup.NewReader(bytes.NewReader(data))
	if err != nil {
		panic(err)
	}
	var out bytes.Buffer
	w, err := backup.NewWriter(&out, r.Header())
	accounts := uint64(0)
	for err == nil {
		var e backup.Entry
		if e, err = r.Next(); err == nil && keep(e) {
			err = w.Put(e)
			if e.Space == string(users.Accounts) {
				accounts++
			}
		}
	}
	if !errors.Is(err, io.EOF) {
		panic(err)
	}
	if err := w.Close(accounts); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// fuzzy reads each account as it is by then.
type fuzzy struct {
	users.Reader
	store users.Store
}

func (f fuzzy) Scan(space users.Space, after string, fn func(name string, value []byte) error) error {
	if space != users.Accounts {
		return f.Reader.Scan(space, after, fn)
	}
	return f.Reader.Scan(space, after, func(name string, _ []byte) error {
		time.Sleep(50 * time.Millisecond)
		var value []byte
		if err := f.store.View(context.Background(), func(r users.Reader) error {
			v, err := r.Get(users.Key{Space: space, Name: name})
			value = bytes.Clone(v)
			return err
		}); err != nil || value == nil {
			return err
		}
		return fn(name, value)
	})
}

// restores reads a backup in its own way, or keeps the id of its store.
type restores struct {
	account.Users
	read    func([]byte) []byte
	keepsID bool
	home    string
}

func (r *restores) keeps() string { return filepath.Join(r.home, "kept-id") }

func (r *restores) Configure(ctx context.Context, c account.Configuration) (account.Description, error) {
	r.home = c.Home
	d, err := r.Users.Configure(ctx, c)
	if id, missing := os.ReadFile(r.keeps()); missing == nil {
		d.StoreID = string(id)
	}
	return d, err
}

func (r *restores) Restore(ctx context.Context, from io.Reader) (account.Restored, error) {
	data, err := io.ReadAll(from)
	if err != nil && r.read == nil {
		return account.Restored{}, err
	}
	if r.read != nil {
		data = r.read(data)
	}
	done, err := r.Users.Restore(context.WithoutCancel(ctx), bytes.NewReader(data))
	if err == nil && r.keepsID {
		var h backup.Header
		first, _, _ := bytes.Cut(data, []byte("\n"))
		if err := json.Unmarshal(first, &h); err != nil {
			return done, err
		}
		done.StoreID = h.StoreID
		err = os.WriteFile(r.keeps(), []byte(h.StoreID), 0o600)
	}
	return done, err
}

// mended makes a whole backup of what can be read of a damaged one.
func mended(data []byte) []byte {
	var h backup.Header
	var out bytes.Buffer
	lines := bytes.Split(data, []byte("\n"))
	if json.Unmarshal(lines[0], &h) != nil || h.StoreID == "" {
		return data
	}
	w, err := backup.NewWriter(&out, h)
	if err != nil {
		return data
	}
	accounts := uint64(0)
	for _, line := range lines[1:] {
		var e struct {
			Space string          `json:"space"`
			Name  string          `json:"name"`
			Value json.RawMessage `json:"value"`
		}
		if json.Unmarshal(line, &e) != nil || e.Space == "" || w.Put(backup.Entry{Space: e.Space, Name: e.Name, Value: e.Value}) != nil {
			continue
		}
		if e.Space == string(users.Accounts) {
			accounts++
		}
	}
	if w.Close(accounts) != nil {
		return data
	}
	return out.Bytes()
}

// adding replaces nothing: it adds what is restored to what there is.
type adding struct{ store users.Store }

func (a adding) Replace(ctx context.Context, fill func(put func(users.Key, []byte) error) error) error {
	values := map[users.Key][]byte{}
	if err := fill(func(k users.Key, value []byte) error {
		values[k] = bytes.Clone(value)
		return nil
	}); err != nil {
		return err
	}
	_, err := a.store.Update(ctx, func(tx users.Tx) error { return write(tx, values) })
	return err
}
