package host_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestEarlierHomes opens what earlier releases have written, which
// testdata/homes/README.md describes: a home of a host that was stopped, one of
// a host that was killed between a commit and its audit line, and a backup.
func TestEarlierHomes(t *testing.T) {
	t.Parallel()
	releases, err := filepath.Glob("testdata/homes/*/stopped.tar.gz")
	if err != nil || len(releases) < 3 {
		t.Fatalf("homes of %d releases, %v", len(releases), err)
	}
	for _, path := range releases {
		release := filepath.Dir(path)
		t.Run(filepath.Base(release), func(t *testing.T) {
			t.Parallel()
			t.Run("Stopped", func(t *testing.T) { t.Parallel(); opensEarlierHome(t, release, "stopped") })
			t.Run("Killed", func(t *testing.T) { t.Parallel(); opensEarlierHome(t, release, "killed", "late") })
			if backup := unzip(t, filepath.Join(release, "stopped-backup.gz")); backup != nil {
				t.Run("Backup", func(t *testing.T) { t.Parallel(); restoresEarlierBackup(t, release, backup) })
			}
		})
	}
}

// opensEarlierHome finds what the release wrote down of the home when it kept
// it, and the accounts of which only the store knew.
func opensEarlierHome(t *testing.T, release, which string, more ...string) {
	h := hosttest.New(t)
	unpack(t, unzip(t, filepath.Join(release, which+".tar.gz")), h.Home)
	before := h.Audit()
	files := auditFiles(t, h)
	h.Start()

	wantAccounts(t, h, filepath.Join(release, which), more, "zoe") // who asks for them
	for path, content := range files {
		now, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(now, content) {
			t.Errorf("%s is not what it was with more behind it: %v", path, err)
		}
	}
	var recovered []string
	for _, e := range h.Audit() {
		if e.Recovered {
			recovered = append(recovered, e.Target)
		}
	}
	if diff := cmp.Diff(more, recovered); diff != "" {
		t.Errorf("recovered lines (-want +got):\n%s", diff)
	}
	wantLogins(t, h)
	wantRepeats(t, h, before)
	since := []string{"admin", "ada", "bob", "jeff", "zoe"}
	wantAccounts(t, h, filepath.Join(release, which), more, since...)

	// It takes changes, and opens again.
	create(t, h.As("zoe", attic("zoe")), "new", account.User)
	h.Stop()
	h.Start()
	wantAccounts(t, h, filepath.Join(release, which), append(more, "new"), since...)
}

func restoresEarlierBackup(t *testing.T, release string, backup []byte) {
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	succeeds(t, operator(t, h, "restore", "--yes", path))
	h.Start()
	wantAccounts(t, h, filepath.Join(release, "stopped"), nil, "zoe")
}

// attic is the password of an account of an earlier home.
func attic(username string) string { return "pony in the attic of " + username }

// row is an account as a listing or an export shows it.
type row = map[string]any

// wantAccounts compares the accounts with those that were told, but for the last
// logins of those who have logged in since: no field is missing, and none is
// other than it was.
func wantAccounts(t *testing.T, h *hosttest.Host, told string, more []string, since ...string) {
	t.Helper()
	for path, args := range map[string][]string{
		told + ".json":        {"users", "list"},
		told + "-export.json": {"users", "export", "--with-hashes"},
	} {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(path, "-export.json") {
			continue // the release had no export
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd := h.Command(append(args, "--format", "json")...)
		cmd.Env = append(cmd.Env, "CONCOURSE_USERNAME=zoe", "CONCOURSE_PASSWORD="+attic("zoe"))
		want, got := rows(t, data, since), rows(t, []byte(succeeds(t, h.RunCommand(cmd, "")).Stdout), since)
		for _, name := range more {
			if got[name] == nil {
				t.Errorf("%v: there is no %s", args, name)
			}
			delete(got, name)
		}
		for name, is := range got {
			for field := range is {
				if _, known := want[name][field]; !known && want[name] != nil {
					delete(is, field) // added since
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-as it was +as it is):\n%s", args, diff)
		}
	}
}

// rows returns accounts by name, without what depends on who is logged in, and
// without the last logins of some.
func rows(t *testing.T, data []byte, since []string) map[string]row {
	t.Helper()
	var all []row
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	byName := map[string]row{}
	for _, r := range all {
		name := r["username"].(string)
		delete(r, "sessions")
		if slices.Contains(since, name) {
			delete(r, "last_login_at")
		}
		byName[name] = r
	}
	return byName
}

// wantLogins has every account's password accepted, and another refused.
func wantLogins(t *testing.T, h *hosttest.Host) {
	t.Helper()
	zoe := h.As("zoe", attic("zoe"))
	for _, name := range []string{"ada", "ana", "bob", "jeff", "jürgen", "reborn", "zoe"} {
		for password, want := range map[string]bool{attic(name): true, "another for a while": false} {
			got, err := zoe.CheckPassword(t.Context(), account.Password{Username: name, Password: account.Secret(password)})
			if err != nil || got != want {
				t.Errorf("the password of %s: %v, %v; want %v", name, got, err, want)
			}
		}
	}
	_, err := h.Login("jeff", attic("jeff"))
	wantKind(t, "a USER", err, account.KindNotPermitted, account.ReasonNeedsAdmin)
	_, err = h.Login("ana", attic("ana"))
	wantKind(t, "a suspended account", err, account.KindNotPermitted, account.ReasonSuspended)
	_, err = h.Login("gone", attic("gone"))
	wantKind(t, "a deleted account", err, account.KindNotAuthenticated, "")
}

// wantRepeats asks again for every change that the audit log tells of, under its
// request id, and gets the recorded outcome.
func wantRepeats(t *testing.T, h *hosttest.Host, log []audit.Entry) {
	t.Helper()
	callers := map[string]*management.Client{}
	verbs := map[account.Verb]int{}
	for _, e := range log {
		if e.Event != audit.Change || e.Outcome != audit.OK || e.Verb == account.VerbInitialize {
			continue
		}
		verbs[e.Verb]++
		name := e.Caller.Username
		c := callers[name]
		if c == nil {
			password := attic(name)
			if name == hosttest.Administrator {
				password = firstPassword(t, h)
			}
			c = h.As(name, password)
			callers[name] = c
		}
		id, err := account.ParseRequestID(e.RequestID)
		if err != nil {
			t.Fatal(err)
		}
		if changed, err := repeat(t, c, e, id, e.Target); err != nil || changed != *e.Changed {
			t.Errorf("%s of %s asked for again: changed %v, %v; want %v", e.Verb, e.Target, changed, err, *e.Changed)
		}
		_, err = repeat(t, c, e, id, "another")
		wantKind(t, fmt.Sprintf("%s under the id of another's", e.Verb), err, account.KindInvalid, account.ReasonRequestReused)
	}
	for _, verb := range []account.Verb{
		account.VerbCreate, account.VerbEdit, account.VerbPassword, account.VerbDelete, account.VerbGrant, account.VerbRevoke,
		account.VerbSuspend, account.VerbEnable,
	} {
		if verbs[verb] == 0 {
			t.Errorf("the log tells of no %s", verb)
		}
	}
}

// repeat asks for the change of a line under a request id.
func repeat(t *testing.T, c *management.Client, e audit.Entry, id account.RequestID, target string) (changed bool, err error) {
	t.Helper()
	var r management.Result
	switch e.Verb {
	case account.VerbCreate:
		r, err = c.Create(t.Context(), id, account.Create{Username: target, Role: e.Role, Password: account.Secret(secret)})
	case account.VerbEdit:
		r, err = c.Edit(t.Context(), id, account.Edit{Username: target, Role: e.Role, Password: account.Secret(secret)})
	case account.VerbPassword:
		r, err = c.Password(t.Context(), id, account.Password{Username: target, Password: account.Secret(secret)})
	case account.VerbDelete:
		r, err = c.Delete(t.Context(), id, account.Delete{Username: target})
	case account.VerbGrant:
		r, err = c.Grant(t.Context(), id, account.Grant{Username: target, Environment: e.Environment, Permission: e.Permission})
	case account.VerbRevoke:
		r, err = c.Revoke(t.Context(), id, account.Revoke{Username: target, Environment: e.Environment})
	case account.VerbSuspend:
		r, err = c.Suspend(t.Context(), id, target)
	case account.VerbEnable:
		r, err = c.Enable(t.Context(), id, target)
	default:
		t.Fatalf("no release has kept a home with %s", e.Verb)
	}
	return r.Changed, err
}

func auditFiles(t *testing.T, h *hosttest.Host) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(h.AuditLog()), "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no audit log, %v", err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		if files[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// unzip returns the content of a file, nil if there is none.
func unzip(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return data
}

func unpack(t *testing.T, archive []byte, dir string) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, header.Name)
		if header.FileInfo().IsDir() {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := io.ReadAll(r)
		if err == nil {
			err = os.WriteFile(path, content, header.FileInfo().Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
