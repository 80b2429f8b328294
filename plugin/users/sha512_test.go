package users_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/shared/account"
)

// originalOf is what the Java original keeps of a password.
func originalOf(password string) account.Secret {
	salt := bytes.Repeat([]byte("salt"), 8)
	digest := sha512.Sum512(append([]byte(password), salt...))
	b := base64.RawStdEncoding
	return account.Secret("$concourse-sha512$" + b.EncodeToString(salt) + "$" + b.EncodeToString(digest[:]))
}

func TestApplyOriginalHash(t *testing.T) {
	t.Run("IsWrapped", func(t *testing.T) {
		h := start(t)
		d := account.Desired{Username: "target", PasswordHash: originalOf("adm"), PasswordChangedAt: past}
		got := h.apply(d)
		if a := got.Account; !got.PasswordSet || !a.PasswordChangedAt.Equal(past) || a.Generation != 1 {
			t.Errorf("got %+v", got)
		}
		if hash := h.kept("target").Hash; !strings.HasPrefix(hash, "$argon2id-sha512$v=19$m=64,t=1,p=1$") {
			t.Errorf("kept is %q", hash)
		}
		if again := h.apply(d); again.Changed {
			t.Errorf("again: %+v", again)
		}
		if ok, err := h.CheckPassword(t.Context(), h.caller("admin"), account.Password{Username: "target", Password: account.Secret("adm")}); !ok || err != nil {
			t.Errorf("the password: %v, %v", ok, err)
		}
		if _, err := h.login("target", "adm "); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("another password: %v", err)
		}
	})
	t.Run("RenewedByALogin", func(t *testing.T) {
		h := start(t)
		h.hashing = h.SetCost(19456, 2) // what is cheaper is not taken back
		d := account.Desired{Username: "target", PasswordHash: originalOf("pa\u0308ssword")}
		h.apply(d)
		if _, err := h.login("target", "p\u00e4ssword"); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("other bytes of the same text: %v", err)
		}
		before := h.kept("target")
		if _, err := h.login("target", "pa\u0308ssword"); err != nil {
			t.Fatal(err)
		}
		after := h.kept("target")
		if !strings.HasPrefix(after.Hash, "$argon2id$v=19$m=19456,t=2,p=1$") || after.Generation != before.Generation {
			t.Errorf("kept is %+v, and was %+v", after, before)
		}
		for _, same := range []string{"pa\u0308ssword", "p\u00e4ssword"} {
			if _, err := h.login("target", same); err != nil {
				t.Errorf("a login after the first, with %q: %v", same, err)
			}
		}
		for _, known := range []account.Secret{d.PasswordHash, account.Secret(before.Hash), account.Secret(after.Hash)} {
			if got := h.apply(account.Desired{Username: "target", PasswordHash: known}); got.Changed {
				t.Errorf("%.20q changes %+v", string(known), got)
			}
		}
		h.apply(account.Desired{Username: "target", Password: account.Secret(newPassword)})
		if got := h.apply(d); !got.Changed || !got.PasswordSet {
			t.Errorf("after another password: %+v", got)
		}
	})
	t.Run("StaysWhereItCannotBeRenewed", func(t *testing.T) {
		h := start(t)
		const raw = "\xff\x01 raw"
		h.apply(account.Desired{Username: "target", PasswordHash: originalOf(raw)})
		hash := h.kept("target").Hash
		for range 2 {
			if _, err := h.login("target", raw); err != nil {
				t.Error(err)
			}
		}
		if got := h.kept("target").Hash; got != hash {
			t.Errorf("kept is %q", got)
		}
	})
	t.Run("OfASuspendedOne", func(t *testing.T) {
		h := start(t)
		no := false
		h.apply(account.Desired{Username: "target", PasswordHash: originalOf(otherPassword), Enabled: &no})
		_, err := h.login("target", otherPassword)
		refusal(t, err, account.KindNotPermitted, account.ReasonSuspended)
		if hash := h.kept("target").Hash; !strings.HasPrefix(hash, "$argon2id-sha512$") {
			t.Errorf("kept is %q", hash)
		}
	})
	t.Run("IsTheAccountsPassword", func(t *testing.T) {
		h := start(t)
		h.apply(account.Desired{Username: "target", PasswordHash: originalOf(otherPassword)})
		if got := h.apply(account.Desired{Username: "target", Password: account.Secret(otherPassword)}); got.Changed {
			t.Errorf("the password itself: %+v", got)
		}
	})
	t.Run("MovesOn", func(t *testing.T) {
		from, to := start(t), start(t)
		from.hashing, to.hashing = from.SetCost(19456, 2), to.SetCost(19456, 2)
		from.apply(account.Desired{Username: "target", PasswordHash: originalOf(otherPassword)})
		page, _, err := from.Export(t.Context(), from.caller("admin"), "admin")
		if err != nil || len(page) != 1 {
			t.Fatalf("%d accounts, %v", len(page), err)
		}
		for _, changed := range []bool{true, false} {
			if got := to.apply(account.Desired{Username: "target", PasswordHash: page[0].PasswordHash}); got.Changed != changed {
				t.Errorf("got %+v", got)
			}
		}
		if got := to.apply(account.Desired{Username: "target", PasswordHash: originalOf(otherPassword)}); got.Changed {
			t.Errorf("what the original kept, after a move: %+v", got)
		}
		if _, err := to.login("target", otherPassword); err != nil {
			t.Error(err)
		}
	})
	t.Run("NothingCheaperIsKept", func(t *testing.T) {
		h := start(t)
		given := originalOf(otherPassword)
		d := account.Desired{Username: "target", PasswordHash: given}
		h.apply(d)
		if _, err := h.login("target", otherPassword); err != nil {
			t.Fatal(err)
		}
		h.apply(d)
		said := fmt.Sprintf("%v %+v %s", d, d, h.log)
		for _, value := range h.contents() {
			said += value
		}
		_, parts, _ := strings.Cut(string(given[1:]), "$")
		salt, digest, _ := strings.Cut(parts, "$")
		raw, _ := base64.RawStdEncoding.DecodeString(digest)
		for what, secret := range map[string]string{
			"salt": salt, "digest": digest, "digest in hex": fmt.Sprintf("%x", raw),
			"sum of what was given": fmt.Sprintf("%x", sha256.Sum256(given)), "sum of the digest": fmt.Sprintf("%x", sha256.Sum256(raw)),
		} {
			if strings.Contains(said, secret) {
				t.Errorf("the %s is in\n%s", what, said)
			}
		}
	})
	t.Run("RepeatedWithoutHashing", func(t *testing.T) {
		h := start(t)
		in, d := h.as("admin"), account.Desired{Username: "target", PasswordHash: originalOf(otherPassword)}
		first, err := h.Apply(t.Context(), in, d)
		if err != nil {
			t.Fatal(err)
		}
		for range runtime.GOMAXPROCS(0) { // so that nothing is computed
			defer h.Occupy()()
		}
		again, err := h.Apply(t.Context(), in, d)
		if err != nil || !again.Repeated || again.Account.ID != first.Account.ID {
			t.Errorf("a repeat: %+v, %v", again, err)
		}
	})
	t.Run("NotInATransaction", func(t *testing.T) {
		h := start(t)
		h.store.set(func(s *hooked) { s.rerun = true })
		h.apply(account.Desired{Username: "target", PasswordHash: originalOf(otherPassword)})
		h.store.set(func(s *hooked) { s.rerun = false })
		if _, err := h.login("target", otherPassword); err != nil {
			t.Error(err)
		}
	})
	t.Run("Planned", func(t *testing.T) {
		h := start(t)
		d := account.Desired{Username: "target", PasswordHash: originalOf(otherPassword)}
		plan := func() account.Applied {
			t.Helper()
			a, err := h.Plan(t.Context(), h.caller("admin"), d)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		before := h.contents()
		var free []func()
		for range runtime.GOMAXPROCS(0) {
			free = append(free, h.Occupy())
		}
		if a := plan(); !a.Changed || a.Before != nil || !a.PasswordSet { // nothing is computed
			t.Errorf("of a new one: %+v", a)
		}
		for _, f := range free {
			f()
		}
		h.unchanged(before)
		h.apply(d)
		if a := plan(); a.Changed {
			t.Errorf("of the same: %+v", a)
		}
		h.apply(account.Desired{Username: "target", Password: account.Secret(newPassword)})
		before = h.contents()
		if a := plan(); !a.Changed || !a.PasswordSet || a.Before == nil {
			t.Errorf("of another password: %+v", a)
		}
		h.unchanged(before)
	})
	t.Run("ErrNotAcceptable", func(t *testing.T) {
		h := start(t)
		before := h.contents()
		good := string(originalOf(otherPassword))
		for _, bad := range []string{
			good + "=", good[:len(good)-2], good + "AA", strings.Replace(good, "$c2Fs", "$!2Fs", 1), "$concourse-sha512$", "$concourse-sha512$$", "$concourse-sha512$AAAA$AAAA",
			"$concourse-sha512$AAAA" + good[strings.LastIndex(good, "$"):], good[:strings.LastIndex(good, "$")] + strings.Repeat("AAAA", 30) + good[strings.LastIndex(good, "$"):],
			"$argon2id-sha512$v=19$m=262145,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U",
			"$argon2id-sha512$v=19$m=64,t=1,p=1$c2Fs$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U",
			"$argon2id-sha512$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U",
			"$argon2id-sha512$v=19$m=7167,t=5,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U",
		} {
			_, err := h.Apply(t.Context(), h.as("admin"), account.Desired{Username: "target", PasswordHash: account.Secret(bad)})
			invalid(t, err, "password_hash", "")
			if text := fmt.Sprint(err); !strings.Contains(text, "$concourse-sha512$salt$digest") || strings.Contains(text, "c2Fs") {
				t.Errorf("%s: the refusal says %q", bad, text)
			}
		}
		h.unchanged(before)
	})
	t.Run("ErrStored", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		h.rewrite("target", func(value map[string]any) { value["hash"] = string(originalOf(otherPassword)) })
		if _, err := h.login("target", otherPassword); account.KindOf(err) != account.KindInternal {
			t.Errorf("what is never stored lets in: %v", err)
		}
		err := h.Backup(t.Context(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "its password hash is not one that this release makes or takes") {
			t.Errorf("a backup with it: %v", err)
		}
	})
}

// A wrong password for a wrapped hash, a plain one and an unknown name compute
// the same, and no password that could not be one is hashed faster.
func TestOriginalHashCostsAlike(t *testing.T) {
	h := start(t)
	h.create("plain", account.User)
	h.apply(account.Desired{Username: "wrapped", PasswordHash: originalOf(otherPassword)})
	for _, name := range []string{"plain", "wrapped", "nobody"} {
		for _, password := range []string{"wrong", "", "\xff", strings.Repeat("x", account.MaxPassword+1)} {
			before := h.hashing.Matched.Load()
			if _, err := h.login(name, password); account.KindOf(err) != account.KindNotAuthenticated {
				t.Errorf("%s: %v", name, err)
			}
			if n := h.hashing.Matched.Load() - before; n != 1 {
				t.Errorf("%s and %.5q: %d hashes were computed", name, password, n)
			}
		}
	}
}
