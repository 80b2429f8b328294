package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// exported returns a file with the first administrator and the ADMIN jeff, as a
// host of another backend exports it, and a backup of that.
func exported(t *testing.T) (accounts, backup string) {
	t.Helper()
	h := hosttest.Start(t)
	defer h.Stop()
	create(t, h.Admin(), "jeff", account.Admin)
	out := h.Run("", "users", "export", "--with-hashes", "--format", "json")
	if out.Code != 0 {
		t.Fatalf("export: %+v", out)
	}
	backup = filepath.Join(t.TempDir(), "backup")
	if out := h.Run("", "backup", backup); out.Code != 0 {
		t.Fatalf("backup: %+v", out)
	}
	return out.Stdout, backup
}

// TestReadOnlyBackend runs a backend whose accounts are kept in a file, by an
// editor.
func TestReadOnlyBackend(t *testing.T) {
	t.Parallel()
	was, backup := exported(t)
	path := filepath.Join(t.TempDir(), "accounts.json")
	save := func(content string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	save(was)
	h := hosttest.Start(t, "lease: 2s", "lease_wait: 1s", "plugin:", "  path: "+hosttest.Build(t, "./host/testdata/directory"), "  settings:", "    file: "+path)
	if _, err := os.Stat(filepath.Join(h.Home, "initial-admin-password")); err == nil {
		t.Error("the host made a password for nobody")
	}

	t.Run("Reads", func(t *testing.T) {
		if out := h.Run("", "users", "list"); out.Code != 0 || !strings.Contains(out.Stdout, "admin") || !strings.Contains(out.Stdout, "jeff") {
			t.Errorf("list: %+v", out)
		}
		if out := h.Run("", "users", "export", "--with-hashes", "--format", "json"); out.Code != 0 || strings.Count(out.Stdout, "$argon2id$") != 2 {
			t.Errorf("export exits with %d: %s", out.Code, out.Stderr)
		}
		out := h.Run("", "plugin", "status")
		if want := "Capabilities: durable, export\nCannot:       change accounts, apply files of accounts, back up, recover an administrator, restore a backup\n"; !strings.Contains(out.Stdout, want) {
			t.Errorf("plugin status: %+v", out)
		}
	})

	t.Run("ErrUnsupported", func(t *testing.T) {
		const elsewhere = "ERROR: Changing accounts is unsupported by this backend\nThe accounts are kept elsewhere; change them where the backend reads them\n"
		for _, args := range [][]string{
			{"create", "ana", "--set-role", "USER", "--set-password", "ana likes jam"},
			{"create", "ana", "--set-role", "USER", "--generate"},
			{"edit", "jeff", "--set-role", "USER"},
			{"password", "jeff", "--set-password", "jeff likes jam"},
			{"grant", "jeff", "--permission", "READ"},
			{"revoke", "jeff"},
			{"suspend", "jeff"},
			{"enable", "jeff"},
			{"delete", "jeff"},
		} {
			if out := h.Run("", append([]string{"users"}, args...)...); out.Code != 10 || out.Stderr != elsewhere || out.Stdout != "" {
				t.Errorf("%v: %+v", args, out)
			}
		}
		if out := h.Run("", "users", "suspend", "jeff", "--format", "json"); out.Code != 10 || out.Stderr != `{"error":{"kind":"unsupported","reason":"","subject":"change","message":"changing accounts is unsupported by this backend"}}`+"\n" {
			t.Errorf("as JSON: %+v", out)
		}
		if out := h.Run("- username: jeff\n  role: USER\n", "users", "apply", "-f", "-"); out.Code != 10 || out.Stderr != "ERROR: Applying accounts from a file is unsupported by this backend\n" {
			t.Errorf("apply: %+v", out)
		}
		if out := h.Run("", "backup", filepath.Join(t.TempDir(), "backup")); out.Code != 10 {
			t.Errorf("backup: %+v", out)
		}
		refused := map[account.Verb]bool{}
		for _, e := range h.Audit() {
			if e.Event == audit.Change && e.Outcome == account.KindUnsupported.String() && e.Caller != nil {
				refused[e.Verb] = true
			}
		}
		if len(refused) != 8 {
			t.Errorf("the audit log tells of refused %v", refused)
		}
	})

	t.Run("Follows", func(t *testing.T) {
		admin, jeff := h.Admin(), h.As("jeff", secret)
		gets := func(kind account.Kind) func() bool {
			return func() bool { _, err := jeff.Show(t.Context(), "admin"); return account.KindOf(err) == kind }
		}
		save(strings.Replace(was, `"enabled":true`, `"enabled":false`, 1)) // the first by name is admin
		if _, err := h.Login("admin", hosttest.Password); account.ReasonOf(err) != account.ReasonSuspended {
			t.Errorf("a login right after the suspension: %v", err)
		}
		hosttest.Await(t, "a suspended account's session ends", func() bool {
			_, err := admin.Show(t.Context(), "jeff")
			return account.KindOf(err) == account.KindNotAuthenticated
		})
		save(was)
		admin = h.Admin()
		h.KillPlugin()
		if _, err := admin.Show(t.Context(), "jeff"); err != nil || !gets(0)() {
			t.Errorf("a session does not outlive the plugin's process: %v", err)
		}
		// What cannot be understood is nobody's: past the lease, nothing goes.
		save(was[:len(was)/2])
		hosttest.Await(t, "the host refuses", gets(account.KindUnavailable))
		save(was)
		hosttest.Await(t, "the host serves again", gets(0))
	})

	h.Stop()
	t.Run("Offline", func(t *testing.T) {
		for _, args := range [][]string{{"recover", "jeff"}, {"restore", backup, "--yes"}} {
			if out := h.Run("", args...); out.Code != 10 {
				t.Errorf("%v: %+v", args, out)
			}
		}
	})
	t.Run("ErrStart", func(t *testing.T) {
		save(fmt.Sprintf(`[{"username":"jeff"},%s`, was[1:]))
		if err := h.TryStart(); err == nil || !strings.Contains(err.Error(), "'jeff', is not acceptable: the name is another's already") {
			t.Errorf("with an account that is there twice: %v", err)
		}
	})
}

// TestBackendWithoutAccounts: what cannot make accounts and has none is no
// backend; one in memory is, with a warning.
func TestBackendWithoutAccounts(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, "plugin:", "  path: "+hosttest.Build(t, "./host/testdata/trouble"), "  settings:", "    initialized: 'false'")
	if err := h.TryStart(); err == nil || !strings.Contains(err.Error(), `it does not declare "change"`) {
		t.Errorf("without change and accounts: %v", err)
	}
	h.Configure("plugin:", "  path: "+hosttest.Build(t, "./host/testdata/memory"))
	h.Start()
	if !strings.Contains(h.Log(), "the backend keeps its accounts in memory only") {
		t.Error("the log has no warning")
	}
	if out := h.Run("", "plugin", "status"); !strings.Contains(out.Stdout, "\nCannot:       keep accounts beyond its process\n") {
		t.Errorf("plugin status: %+v", out)
	}
	h.Stop()
}
