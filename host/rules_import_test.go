package host_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/credentials"
	"github.com/cinchapi/concourse-users/shared/credentials/credentialstest"
)

// Passwords that the original takes: of bytes that are no text, of a text that
// has another normal form, and of one that is too short here.
const (
	rawPassword   = "\xff\x01 raw"
	otherForm     = "pa\u0308ssword"
	shortPassword = "abc"
)

// ofTheOriginal writes a credentials file.
func ofTheOriginal(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "access")
	file := credentialstest.File(
		credentialstest.Account{Username: "raw", PasswordHex: hex.EncodeToString([]byte(rawPassword)), Role: "USER", Enabled: true},
		credentialstest.Account{Username: "other", Password: otherForm, Role: "ADMIN", Enabled: true},
		credentialstest.Account{Username: "short", Password: shortPassword, Role: "USER", Enabled: true, Grants: map[string]string{"prod": "WRITE"}},
		credentialstest.Account{Username: "gone", Password: secret, Role: "ADMIN", Grants: map[string]string{"prod": "READ", "test": "WRITE"}},
	)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// takeOver imports the file, which must change as many accounts.
func takeOver(t *testing.T, h *hosttest.Host, path, said string) {
	t.Helper()
	if o := h.Run("", "users", "import", "--from-concourse", path); o.Code != 0 || o.Stderr != "" || !strings.HasSuffix(o.Stdout, said+"\n") {
		t.Fatalf("%+v, want %q", o, said)
	}
}

// TestRule9ImportedPasswords: everybody goes on with their password, and nothing
// that is faster to guess from than argon2id stays behind.
func TestRule9ImportedPasswords(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	h.Env = []string{"CONCOURSE_LOG_LEVEL=trace"}
	h.Start()
	path := ofTheOriginal(t)
	takeOver(t, h, path, "4 accounts: 4 created")

	logsIn := func(username, password string, so bool) {
		t.Helper()
		if err := authenticate(h, username, password); so != (err == nil) {
			t.Errorf("a login as '%s' with %q: %v", username, password, err)
		}
	}
	logsIn("other", "p\u00e4ssword", false) // as yet of its bytes
	for range 2 {
		logsIn("raw", rawPassword, true)
		logsIn("other", otherForm, true)
		logsIn("short", shortPassword, true)
	}
	logsIn("other", "p\u00e4ssword", true)
	_, err := h.Login("gone", secret)
	wantKind(t, "a suspended account", err, account.KindNotPermitted, account.ReasonSuspended)

	exported := h.Run("", "users", "export", "--with-hashes", "--format", "json")
	for username, form := range map[string]string{"raw": "$argon2id-sha512$", "other": "$argon2id$", "short": "$argon2id$", "gone": "$argon2id-sha512$"} {
		found := false
		for line := range strings.Lines(exported.Stdout) {
			found = found || strings.Contains(line, `"username":"`+username+`"`) && strings.Contains(line, `"password_hash":"`+form)
		}
		if !found {
			t.Errorf("the hash of '%s' is not of the form %s in\n%s", username, form, exported.Stdout)
		}
	}
	takeOver(t, h, path, "4 accounts: nothing to change")
	log := h.History()
	h.Stop()

	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c, err := credentials.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range c.Accounts {
		given := sha256.Sum256(a.PasswordHash())
		digest := sha256.Sum256(a.Digest)
		for what, secret := range map[string][]byte{"digest": a.Digest, "sum of the digest": digest[:], "sum of what was sent": given[:]} {
			for _, form := range []string{string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), base64.RawStdEncoding.EncodeToString(secret)} {
				if strings.Contains(log, form) {
					t.Errorf("the %s of '%s' is in the log", what, a.Username)
				}
				if where := within(t, h.Home, []byte(form)); where != "" {
					t.Errorf("the %s of '%s' is in %s", what, a.Username, where)
				}
			}
		}
	}
	if within(t, h.Home, []byte("$argon2id-sha512$")) == "" {
		t.Error("no file has a hash: it was looked for in the wrong place")
	}
}

// authenticate logs in, be it as one who may do nothing here.
func authenticate(h *hosttest.Host, username, password string) error {
	c, err := h.Login(username, password)
	if account.ReasonOf(err) == account.ReasonNeedsAdmin {
		return nil
	}
	if err == nil {
		c.Close()
	}
	return err
}

// within returns the file below a directory that has the bytes in it.
func within(t *testing.T, dir string, what []byte) (where string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, what) {
			where = path
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return where
}

// TestRule1ImportIsDurable: what an import has said is there after SIGKILL.
func TestRule1ImportIsDurable(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	path := ofTheOriginal(t)
	takeOver(t, h, path, "4 accounts: 4 created")
	h.KillPlugin()
	h.Kill()
	h.Start()
	takeOver(t, h, path, "4 accounts: nothing to change")
	if a := show(t, h.Admin(), "gone"); a.Enabled || a.Role != account.Admin || !a.Grants.Holds("prod", account.Read) || !a.Grants.Holds("test", account.Write) {
		t.Errorf("it is %+v", a)
	}
	if !matches(t, h.As("other", otherForm), "raw", rawPassword) {
		t.Error("another password")
	}
}
