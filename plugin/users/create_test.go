package users_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestCreate(t *testing.T) {
	t.Run("Account", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t)
			time.Sleep(time.Minute)
			c := h.must(h.Create(t.Context(), h.as("admin"), account.Create{Username: "jeff", Password: account.Secret(newPassword), Role: account.User}))
			want := account.Change{Changed: true, Revision: c.Revision, Account: account.Account{
				ID: c.Account.ID, Generation: 1, Username: "jeff", Role: account.User, Enabled: true,
				CreatedAt: time.Now(), PasswordChangedAt: time.Now(),
			}}
			if diff := cmp.Diff(want, c); diff != "" || len(c.Account.ID) != 32 {
				t.Error(diff, c.Account.ID)
			}
			if _, err := h.login("jeff", newPassword); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("ANameAgain", func(t *testing.T) {
		h := start(t)
		first := h.create("jeff", account.User)
		h.must(h.Delete(t.Context(), h.as("admin"), account.Delete{Username: "jeff"}))
		if second := h.create("jeff", account.User); second.ID == first.ID {
			t.Error("an account id was used again")
		}
	})
	t.Run("ErrAlreadyExists", func(t *testing.T) {
		h := start(t)
		h.create("jeff", account.User)
		before, made := h.contents(), h.hashing.Made.Load()
		for _, password := range []string{newPassword, "short"} {
			_, err := h.Create(t.Context(), h.as("admin"), account.Create{Username: "jeff", Password: account.Secret(password), Role: account.User})
			refusal(t, err, account.KindAlreadyExists, "")
		}
		h.unchanged(before)
		if h.hashing.Made.Load() != made {
			t.Error("a password was hashed for a name that is taken")
		}
	})
	t.Run("IfNotExists", func(t *testing.T) {
		h := start(t)
		jeff := h.create("jeff", account.User)
		made := h.hashing.Made.Load()
		c := h.must(h.Create(t.Context(), h.as("admin"), account.Create{Username: "jeff", Password: account.Secret("x"), Role: account.Admin, IfNotExists: true}))
		if diff := cmp.Diff(account.Change{Account: jeff, Revision: c.Revision}, c); diff != "" {
			t.Error(diff)
		}
		if h.hashing.Made.Load() != made {
			t.Error("a password was hashed for a name that is taken")
		}
	})
	t.Run("DeletedWhileItExisted", func(t *testing.T) {
		// Between the look, which found the account, and the transaction.
		h := start(t)
		old, deletion := h.create("jeff", account.User), h.as("admin")
		h.store.set(func(s *hooked) {
			s.beforeUpdate = func(ctx context.Context) error {
				s.set(func(s *hooked) { s.beforeUpdate = nil })
				_, err := h.Delete(ctx, deletion, account.Delete{Username: "jeff"})
				return err
			}
		})
		c := h.must(h.Create(t.Context(), h.as("admin"), account.Create{Username: "jeff", Password: account.Secret("another one"), Role: account.User, IfNotExists: true}))
		if !c.Changed || c.Account.ID == old.ID {
			t.Errorf("got %+v, want a new account", c)
		}
		if _, err := h.login("jeff", "another one"); err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrConflict", func(t *testing.T) {
		// It is there whenever it is looked for, and gone whenever it is needed.
		h := start(t)
		h.create("jeff", account.User)
		jeff := users.Key{Space: users.Accounts, Name: "jeff"}
		var value []byte
		h.view(func(r users.Reader) (err error) {
			value, err = r.Get(jeff)
			return err
		})
		write := func(fn func(users.Tx) error) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := h.store.Store.Update(ctx, fn)
				return err
			}
		}
		in := h.as("admin")
		h.store.set(func(s *hooked) {
			s.beforeView = write(func(tx users.Tx) error { return tx.Put(jeff, value) })
			s.beforeUpdate = write(func(tx users.Tx) error { return tx.Delete(jeff) })
		})
		_, err := h.Create(t.Context(), in, account.Create{Username: "jeff", Password: account.Secret(newPassword), Role: account.User, IfNotExists: true})
		refusal(t, err, account.KindConflict, "")
		h.store.set(func(s *hooked) { s.beforeView, s.beforeUpdate = nil, nil })
	})
	t.Run("OnceAtOnce", func(t *testing.T) {
		h := start(t)
		admin := h.caller("admin")
		const n = 16
		outcomes := make(chan error, n)
		for range n {
			go func() {
				_, err := h.Create(t.Context(), account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: admin},
					account.Create{Username: "jeff", Password: account.Secret(newPassword), Role: account.User})
				outcomes <- err
			}()
		}
		made := 0
		for range n {
			switch err := <-outcomes; account.KindOf(err) {
			case 0:
				made++
			case account.KindAlreadyExists:
			default:
				t.Error(err)
			}
		}
		if made != 1 {
			t.Errorf("the account was made %d times", made)
		}
	})
	t.Run("ErrRole", func(t *testing.T) {
		h := start(t)
		for _, role := range []account.Role{"", "service"} {
			_, err := h.Create(t.Context(), h.as("admin"), account.Create{Username: "jeff", Password: account.Secret(newPassword), Role: role})
			invalid(t, err, "role", "")
		}
	})
}
