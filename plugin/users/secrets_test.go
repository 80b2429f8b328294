package users_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestSecrets(t *testing.T) {
	// Whatever is done with a password, it and its hash go to the store alone.
	h := start(t)
	const marker = "sw0rdfish"
	secret := account.Secret(marker + " and more")
	var said []string
	hear := func(c any, err error) { said = append(said, fmt.Sprintf("%+v %#v %v", c, c, err)) }
	for _, password := range []account.Secret{secret, account.Secret(marker + "\x00"), append(make([]byte, 2000), secret...)} {
		for _, username := range []string{"target", "target", "two words"} {
			c, err := h.Create(t.Context(), h.as("admin"), account.Create{Username: username, Password: password, Role: account.User})
			hear(c, err)
		}
		c, err := h.Edit(t.Context(), h.as("admin"), account.Edit{Username: "target", Password: password})
		hear(c, err)
		c, err = h.Password(t.Context(), h.as("admin"), account.Password{Username: "target", Password: password})
		hear(c, err)
		ok, err := h.CheckPassword(t.Context(), h.caller("admin"), account.Password{Username: "target", Password: password})
		hear(ok, err)
		l, err := h.login("target", string(password))
		hear(l, err)
	}
	h.rewrite("target", func(value map[string]any) { value["hash"] = "$argon2id$" + marker })
	l, err := h.login("target", string(secret))
	hear(l, err)
	h.rewrite("target", func(value map[string]any) { value["hash"] = map[string]any{marker: marker} })
	l, err = h.login("target", string(secret))
	hear(l, err)
	h.rewrite("target", func(value map[string]any) { value["hash"] = "" })
	for _, s := range append(said, h.log.String()) {
		if strings.Contains(s, marker) || strings.Contains(s, "argon2id") {
			t.Errorf("a secret was said: %s", s)
		}
	}
	for key, value := range h.contents() {
		if strings.Contains(value, marker) && !strings.HasPrefix(key, "accounts/") {
			t.Errorf("%s has a secret: %s", key, value)
		}
		if strings.HasPrefix(key, "requests/") && strings.Contains(value, "argon2id") {
			t.Errorf("%s has a hash: %s", key, value)
		}
	}
}

func TestApplySecrets(t *testing.T) {
	// Neither a password nor a hash is said, logged, or recorded.
	h := start(t)
	const marker = "sw0rdfish"
	hash := hashOf(t, marker+" and more")
	parts := strings.Split(string(hash), "$")
	var said []string
	for _, d := range []account.Desired{
		{Username: "target", Password: account.Secret(marker + " and more")},
		{Username: "target", Password: account.Secret(marker + " and more")},
		{Username: "target", Password: account.Secret(marker)[:7]},
		{Username: "target", Password: account.Secret(marker + "\x00")},
		{Username: "target", PasswordHash: hash},
		{Username: "target", PasswordHash: hash},
		{Username: "target", PasswordHash: append(hash[:len(hash):len(hash)], '=')},
		{Username: "target", PasswordHash: hash, Password: account.Secret(marker)},
		{Username: "target", PasswordHash: hash, CreatedAt: time.Now().Add(time.Hour)},
	} {
		p, err := h.Plan(t.Context(), h.caller("admin"), d)
		said = append(said, fmt.Sprintf("%+v %#v %+v %#v %v %+v", p, p, p.Before, d, err, p.Differences()))
		a, err := h.Apply(t.Context(), h.as("admin"), d)
		said = append(said, fmt.Sprintf("%+v %#v %+v %v %+v", a, a, a.Before, err, a.Differences()))
	}
	in := h.as("admin")
	h.store.set(func(s *hooked) {
		s.beforeUpdate = func(context.Context) error { return errors.New("the disk is full") }
	})
	_, err := h.Apply(t.Context(), in, account.Desired{Username: "target", Password: account.Secret(marker + " and less")})
	h.store.set(func(s *hooked) { s.beforeUpdate = nil })
	said = append(said, fmt.Sprint(err))
	page, _, err := h.Export(t.Context(), h.caller("admin"), "")
	said = append(said, fmt.Sprintf("%v %+v %#v %v", page, page, page, err), h.log.String())
	for key, value := range h.contents() {
		if !strings.HasPrefix(key, "accounts/") {
			said = append(said, value)
		}
	}
	for _, s := range said {
		for _, secret := range []string{marker[:7], parts[4], parts[5]} {
			if strings.Contains(s, secret) {
				t.Errorf("a secret was said: %s", s)
			}
		}
	}
}
