package users_test

import (
	"fmt"
	"strings"
	"testing"

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
