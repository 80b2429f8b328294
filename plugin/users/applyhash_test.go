package users_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

// hashOf makes a hash of a password, as another server would have it.
func hashOf(t *testing.T, password string) account.Secret {
	t.Helper()
	h := start(t)
	h.must(h.Create(t.Context(), h.as("admin"), account.Create{Username: "x", Password: account.Secret(password), Role: account.User}))
	return account.Secret(h.kept("x").Hash)
}

func TestApplyHash(t *testing.T) {
	t.Run("SetsItAndItsTimes", func(t *testing.T) {
		h := start(t)
		d := account.Desired{Username: "target", PasswordHash: hashOf(t, otherPassword),
			CreatedAt: past, PasswordChangedAt: past.Add(time.Hour), LastLoginAt: past.Add(2 * time.Hour).In(time.FixedZone("x", 3600))}
		got := h.apply(d)
		a := got.Account
		if !got.PasswordSet || !a.CreatedAt.Equal(d.CreatedAt) || !a.PasswordChangedAt.Equal(d.PasswordChangedAt) || !a.LastLoginAt.Equal(d.LastLoginAt) {
			t.Errorf("got %+v", got)
		}
		if shown, err := h.Show(t.Context(), h.caller("admin"), "target"); err != nil || !cmp.Equal(shown, a) {
			t.Errorf("the answer was %+v, stored is %+v, %v", a, shown, err)
		}
		if n := h.hashing.Matched.Load(); n != 0 || h.kept("target").Hash != string(d.PasswordHash) {
			t.Errorf("%d hashes were verified; kept is %+v", n, h.kept("target"))
		}
		if again := h.apply(d); again.Changed {
			t.Errorf("again: %+v", again)
		}
		if _, err := h.login("target", otherPassword); err != nil {
			t.Error(err)
		}
	})
	t.Run("OfAnAccountThatIs", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		got := h.apply(account.Desired{Username: "target", PasswordHash: hashOf(t, otherPassword), CreatedAt: past, PasswordChangedAt: past, LastLoginAt: past})
		want := before
		want.Generation, want.PasswordChangedAt = 2, past
		if diff := cmp.Diff(want, got.Account); diff != "" || !got.PasswordSet || !got.EndsSessions() {
			t.Error(diff, got)
		}
		if got := h.apply(account.Desired{Username: "target", PasswordHash: hashOf(t, newPassword)}); time.Since(got.Account.PasswordChangedAt) > time.Minute {
			t.Errorf("without a time: %+v", got.Account)
		}
	})
	t.Run("FromAClockAhead", func(t *testing.T) {
		h := start(t)
		ahead := time.Now().Add(4 * time.Minute)
		if a := h.apply(account.Desired{Username: "target", PasswordHash: hashOf(t, otherPassword), CreatedAt: ahead}).Account; !a.CreatedAt.Equal(ahead) {
			t.Errorf("got %+v", a)
		}
	})
	t.Run("RenewedByALogin", func(t *testing.T) {
		h := start(t)
		weak := account.Desired{Username: "target", PasswordHash: hashOf(t, otherPassword)}
		h.apply(weak)
		h.hashing = h.SetCost(128, 1)
		if _, err := h.login("target", otherPassword); err != nil {
			t.Fatal(err)
		}
		renewed := h.kept("target").Hash
		if renewed == string(weak.PasswordHash) {
			t.Fatal("it was not renewed")
		}
		if got := h.apply(weak); got.Changed || h.kept("target").Hash != renewed {
			t.Errorf("the weak hash again: %+v", got)
		}
		if got := h.apply(account.Desired{Username: "target", PasswordHash: account.Secret(renewed)}); got.Changed {
			t.Errorf("the strong hash: %+v", got)
		}
		h.apply(account.Desired{Username: "target", Password: account.Secret(newPassword)})
		if got := h.apply(weak); !got.Changed || !got.PasswordSet || h.kept("target").Hash != string(weak.PasswordHash) {
			t.Errorf("the weak hash after another password: %+v", got)
		}
	})
	t.Run("ErrNotAcceptable", func(t *testing.T) {
		h := start(t)
		before := h.contents()
		const salt, key = "c2FsdHNhbHRzYWx0c2FsdA", "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"
		for _, bad := range []string{
			"plain text", "$", "$$$", "$2b$12$abcdefghijklmnopqrstuuKLqGzvH8nJx3v4R8oHxYqvS5cW6mXq2",
			"$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + key,
			"$argon2id$v=19$m=262145,t=1,p=1$" + salt + "$" + key,
			"$argon2id$v=19$m=262144,t=4,p=1$" + salt + "$" + key,
			"$argon2id$v=19$m=64,t=11,p=1$" + salt + "$" + key,
			"$argon2id$v=19$m=1024,t=1,p=17$" + salt + "$" + key,
			"$argon2id$v=19$m=4294967295,t=4294967295,p=1$" + salt + "$" + key,
			"$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + key,
			"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$a2V5",
			"$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("c2FsdA", 15) + "$" + key,
			"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key + strings.Repeat(key, 10),
			"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key + " ",
		} {
			_, err := h.Apply(t.Context(), h.as("admin"), account.Desired{Username: "target", PasswordHash: account.Secret(bad)})
			invalid(t, err, "password_hash", "")
			text := fmt.Sprint(err)
			if !strings.Contains(text, "m at most 262144 (256 MiB), t at most 10, m times t at most 786432, p at most 16") ||
				strings.Contains(text, salt) || strings.Contains(text, key) || strings.Contains(text, "plain text") {
				t.Errorf("%s: the refusal says %q", bad, text)
			}
		}
		h.unchanged(before)
		for _, good := range []string{
			"$argon2id$v=19$m=262144,t=3,p=16$" + salt + "$" + key, "$argon2id$v=19$m=65536,t=10,p=4$" + salt + "$" + key,
			"$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + key,
		} {
			h.apply(account.Desired{Username: "target", PasswordHash: account.Secret(good)})
		}
	})
}
