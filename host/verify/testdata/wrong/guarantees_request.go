package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of generations and of request records.
var _ = add(map[string]fault{
	"raises-no-generation": {store: writing(func(tx users.Tx) users.Tx {
		return generations{tx, func(before, after keptAccount) uint64 { return before.Generation }}
	})},
	"raises-the-generation-by-a-grant": {store: writing(func(tx users.Tx) users.Tx {
		return generations{tx, func(before, after keptAccount) uint64 {
			if !bytes.Equal(before.Grants, after.Grants) {
				return after.Generation + 1
			}
			return after.Generation
		}}
	})},

	"applies-a-repeat-twice": {users: doing(func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
		return carry(ctx, again(in))
	})},
	"calls-a-repeat-new": {users: doing(func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
		c, err := carry(ctx, in)
		c.Repeated = false
		return c, err
	})},
	"says-that-a-repeat-changed-nothing": {users: doing(func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
		c, err := carry(ctx, in)
		c.Changed = c.Changed && !c.Repeated
		return c, err
	})},
	"records-only-what-changed": {users: func(u account.Users) account.Users {
		var idle sync.Map
		return doing(func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
			id := in.RequestID
			if _, ok := idle.Load(id); ok {
				in = again(in)
			}
			c, err := carry(ctx, in)
			if err == nil && !c.Changed {
				idle.Store(id, true)
			}
			return c, err
		})(u)
	}},
	"answers-a-repeat-from-another-caller": {users: remembering(func(in account.Invocation, verb account.Verb, target string) string {
		return fmt.Sprint(in.RequestID, verb, target)
	})},
	"answers-a-repeat-of-another-verb": {users: remembering(func(in account.Invocation, _ account.Verb, target string) string {
		return fmt.Sprint(in.RequestID, in.Caller.AccountID, target)
	})},
	"answers-a-repeat-of-another-target": {users: remembering(func(in account.Invocation, verb account.Verb, _ string) string {
		return fmt.Sprint(in.RequestID, in.Caller.AccountID, verb)
	})},
	"checks-rights-before-the-record": {users: func(u account.Users) account.Users {
		return doing(func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
			if _, err := u.Show(ctx, in.Caller, in.Caller.Username); err != nil {
				return account.Change{}, err
			}
			return carry(ctx, in)
		})(u)
	}},
	"records-refusals": {users: func(u account.Users) account.Users {
		var refused sync.Map
		return doing(func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
			if err, ok := refused.Load(in.RequestID); ok {
				return account.Change{}, err.(error)
			}
			c, err := carry(ctx, in)
			if err != nil {
				refused.Store(in.RequestID, err)
			}
			return c, err
		})(u)
	}},
	"takes-old-ids":         {users: doing(renewing(func(age time.Duration) bool { return age > account.RequestLifetime }))},
	"takes-ids-of-tomorrow": {users: doing(renewing(func(age time.Duration) bool { return age < 0 }))},
	"looks-for-the-record-before-the-transaction": {users: func(u account.Users) account.Users {
		var seen sync.Map
		return doing(func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
			if c, ok := seen.Load(in.RequestID); ok {
				c := c.(account.Change)
				c.Repeated = true
				return c, nil
			}
			time.Sleep(100 * time.Millisecond)
			c, err := carry(ctx, again(in))
			if err == nil {
				seen.Store(in.RequestID, c)
			}
			return c, err
		})(u)
	}},
	"forgets-records-at-restart": {store: forgetsRecords},

	"records-in-any-order": {users: recording(func(page []account.Record, next account.RequestID) ([]account.Record, account.RequestID) {
		slices.Reverse(page)
		return page, next
	})},
	"records-end-after-a-page": {users: recording(func(page []account.Record, next account.RequestID) ([]account.Record, account.RequestID) {
		return page, account.RequestID{}
	})},
	"records-forget-the-caller": {users: recording(func(page []account.Record, next account.RequestID) ([]account.Record, account.RequestID) {
		for i := range page {
			page[i].CallerName = ""
		}
		return page, next
	})},
	"records-hold-passwords": {users: func(u account.Users) account.Users {
		var password account.Secret
		a := &altered{Users: u, password: func(ctx context.Context, in account.Invocation, r account.Password) (account.Change, error) {
			password = r.Password
			return u.Password(ctx, in, r)
		}}
		return records{a, func(page []account.Record, next account.RequestID) ([]account.Record, account.RequestID) {
			for i := range page {
				page[i].Target += " " + string([]byte(password))
			}
			return page, next
		}}
	}},
})

// doing has mutations go through do.
func doing(do func(context.Context, account.Invocation, account.Verb, string, carry) (account.Change, error)) func(account.Users) account.Users {
	return func(u account.Users) account.Users { return &around{Users: u, do: do} }
}

// renewing gives requests of such an age another id.
func renewing(such func(age time.Duration) bool) func(context.Context, account.Invocation, account.Verb, string, carry) (account.Change, error) {
	return func(ctx context.Context, in account.Invocation, _ account.Verb, _ string, carry carry) (account.Change, error) {
		if such(time.Since(in.RequestID.Time())) {
			in = again(in)
		}
		return carry(ctx, in)
	}
}

// remembering answers from what it remembers by a key of its own.
func remembering(key func(account.Invocation, account.Verb, string) string) func(account.Users) account.Users {
	var remembered sync.Map
	return doing(func(ctx context.Context, in account.Invocation, verb account.Verb, target string, carry carry) (account.Change, error) {
		k := key(in, verb, target)
		if c, ok := remembered.Load(k); ok {
			c := c.(account.Change)
			c.Repeated = true
			return c, nil
		}
		c, err := carry(ctx, in)
		if err == nil {
			remembered.Store(k, c)
		}
		return c, err
	})
}

// generations writes another generation than the one that is right.
type generations struct {
	users.Tx
	of func(before, after keptAccount) uint64
}

func (g generations) Put(k users.Key, value []byte) error {
	if k.Space == users.Accounts {
		before, err := g.Tx.Get(k)
		if err != nil {
			return err
		}
		if before != nil {
			var fields map[string]any
			if err := json.Unmarshal(value, &fields); err != nil {
				return err
			}
			fields["generation"] = g.of(keptIn(before), keptIn(value))
			if value, err = json.Marshal(fields); err != nil {
				return err
			}
		}
	}
	return g.Tx.Put(k, value)
}

func forgetsRecords(s users.Store) users.Store {
	_, err := s.Update(context.Background(), func(tx users.Tx) error {
		var names []string
		if err := tx.Scan(users.Requests, "", func(name string, _ []byte) error {
			names = append(names, name)
			return nil
		}); err != nil {
			return err
		}
		for _, name := range names {
			if err := tx.Delete(users.Key{Space: users.Requests, Name: name}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return s
}

// records answers with other records than there are.
type records struct {
	account.Users
	alter func([]account.Record, account.RequestID) ([]account.Record, account.RequestID)
}

func recording(alter func([]account.Record, account.RequestID) ([]account.Record, account.RequestID)) func(account.Users) account.Users {
	return func(u account.Users) account.Users { return records{u, alter} }
}

func (r records) Records(ctx context.Context, after account.RequestID) ([]account.Record, account.RequestID, error) {
	page, next, err := r.Users.Records(ctx, after)
	page, next = r.alter(page, next)
	return page, next, err
}
