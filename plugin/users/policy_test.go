package users_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestPasswordPolicy(t *testing.T) {
	set := map[string]func(h *harness, password account.Secret) error{
		"Create": func(h *harness, password account.Secret) error {
			_, err := h.Create(t.Context(), h.as("admin"), account.Create{Username: "new", Password: password, Role: account.User})
			return err
		},
		"Edit": func(h *harness, password account.Secret) error {
			_, err := h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Password: password})
			return err
		},
		"Password": func(h *harness, password account.Secret) error {
			_, err := h.Password(t.Context(), h.as("admin"), account.Password{Username: "target", Password: password})
			return err
		},
	}
	for name, do := range set {
		t.Run(name+"/ErrPolicy", func(t *testing.T) {
			h := start(t)
			h.create("target", account.User)
			before, made := h.contents(), h.hashing.Made.Load()
			for _, bad := range []string{"", "seven77", "\xff\xfe\xfd 12345678", "control\x00character", "line\nbreak 123", strings.Repeat("p", 1025), "ééééééé"} {
				invalid(t, do(h, account.Secret(bad)), "password", account.ReasonPasswordPolicy)
			}
			h.unchanged(before)
			if h.hashing.Made.Load() != made {
				t.Error("a password was hashed that may not be set")
			}
		})
		t.Run(name+"/Accepts", func(t *testing.T) {
			for _, good := range []string{"eight888", "éééééééé", "        ", "with spaces in it", strings.Repeat("p", 1024), "пароль пароль", "🔑🔑🔑🔑🔑🔑🔑🔑"} {
				h := start(t)
				h.create("target", account.User)
				if err := do(h, account.Secret(good)); err != nil {
					t.Errorf("%q: %v", good, err)
				}
			}
		})
	}
	t.Run("MinLength", func(t *testing.T) {
		h := open(t, &hooked{Store: mem.New()}, map[string]string{"password.min_length": "3"})
		if _, err := h.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
			t.Fatal(err)
		}
		invalid(t, set["Create"](h, account.Secret("12")), "password", account.ReasonPasswordPolicy)
		if err := set["Create"](h, account.Secret("123")); err != nil {
			t.Error(err)
		}
	})
	t.Run("OneFormForEveryTyping", func(t *testing.T) {
		h := start(t)
		h.must(h.Create(t.Context(), h.as("admin"), account.Create{Username: "target", Password: account.Secret("se\u0301same\u00a0ouvre toi"), Role: account.User}))
		if _, err := h.login("target", "s\u00e9same ouvre\u3000toi"); err != nil {
			t.Error(err)
		}
	})
}
