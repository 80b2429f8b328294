package users_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestInitialize(t *testing.T) {
	initialize := func(h *harness, username, password string) (account.Initialized, error) {
		return h.Initialize(t.Context(), account.FirstAdministrator{Username: username, Password: account.Secret(password), RequestID: account.NewRequestID(time.Now())})
	}
	t.Run("Once", func(t *testing.T) {
		h := open(t, &hooked{Store: mem.New()}, nil)
		got, err := initialize(h, "ｒｏｏｔ", adminPassword)
		if diff := cmp.Diff(account.Initialized{Changed: true}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		h.checkAdmins()
		login, err := h.login("root", adminPassword)
		if err != nil || login.Account.Role != account.Admin || login.Account.Generation != 1 {
			t.Errorf("got %+v, %v, want an ADMIN", login, err)
		}
		before := h.contents()
		for _, name := range []string{"root", "other", ""} {
			got, err = initialize(h, name, "")
			if diff := cmp.Diff(account.Initialized{}, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		}
		h.unchanged(before)
	})
	t.Run("OnceAtOnce", func(t *testing.T) {
		h := open(t, &hooked{Store: mem.New()}, nil)
		h.store.set(func(s *hooked) {
			s.beforeUpdate = func(context.Context) error {
				s.set(func(s *hooked) { s.beforeUpdate = nil })
				_, err := initialize(h, "first", adminPassword)
				return err
			}
		})
		got, err := initialize(h, "second", adminPassword)
		if err != nil || got.Changed || len(h.all()) != 1 {
			t.Errorf("got %+v, %v with the accounts %v", got, err, h.all())
		}
	})
	t.Run("Repeated", func(t *testing.T) {
		h := open(t, &hooked{Store: mem.New()}, nil)
		first := account.FirstAdministrator{
			Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now()), Host: "h",
		}
		for range 2 {
			if got, err := h.Initialize(t.Context(), first); err != nil || !got.Changed {
				t.Errorf("got %+v, %v, want its own work", got, err)
			}
		}
		page, _, err := h.Records(t.Context(), account.RequestID{})
		if err != nil || len(page) != 1 || page[0].Verb != account.VerbInitialize || page[0].Target != "admin" || page[0].Host != "h" || !page[0].Changed {
			t.Errorf("records %+v, %v", page, err)
		}
	})
	t.Run("RepeatedBeyondTheHour", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, &hooked{Store: mem.New()}, nil)
			first := account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}
			time.Sleep(account.RequestLifetime - time.Second)
			for range 2 {
				if got, err := h.Initialize(t.Context(), first); err != nil || !got.Changed {
					t.Errorf("got %+v, %v, want its own work", got, err)
				}
				time.Sleep(2 * time.Second)
			}
		})
	})
	t.Run("ErrExpired", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, &hooked{Store: mem.New()}, nil)
			first := account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}
			time.Sleep(account.RequestLifetime - time.Second)
			before := h.contents()
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(context.Context) error {
					time.Sleep(2 * time.Second)
					return nil
				}
			})
			for range 2 { // in the Update, and before it
				_, err := h.Initialize(t.Context(), first)
				invalid(t, err, "request_id", account.ReasonRequestExpired)
			}
			h.unchanged(before)
		})
	})
	t.Run("WarnsOfAShortPassword", func(t *testing.T) {
		for _, password := range []string{"x", "seven77"} {
			h := open(t, &hooked{Store: mem.New()}, nil)
			got, err := initialize(h, "admin", password)
			if err != nil || !got.Changed || !strings.Contains(got.Warning, "8 characters") {
				t.Errorf("got %+v, %v, want a warning", got, err)
			}
			if _, err := h.login("admin", password); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("WarnsOfWhatThePolicyIsAgainst", func(t *testing.T) {
		for password, want := range map[string]string{
			"trustno1":    "the first password is among the most common passwords; change it",
			"dragon":      "the first password has fewer than 8 characters, and it is among the most common passwords; change it",
			adminPassword: "",
		} {
			h := open(t, &hooked{Store: mem.New()}, nil)
			if got, err := initialize(h, "admin", password); err != nil || !got.Changed || got.Warning != want {
				t.Errorf("got %+v, %v, want the warning %q", got, err, want)
			}
		}
	})
	t.Run("ErrInvalid", func(t *testing.T) {
		h := open(t, &hooked{Store: mem.New()}, nil)
		before := h.contents()
		_, err := initialize(h, "two words", adminPassword)
		invalid(t, err, "username", "")
		for _, password := range []string{"", " ", "\u00a0\u3000", "\x00", strings.Repeat("p", 1025)} {
			_, err := initialize(h, "admin", password)
			invalid(t, err, "password", account.ReasonPasswordPolicy)
		}
		h.unchanged(before)
	})
}
