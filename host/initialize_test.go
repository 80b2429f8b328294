package host_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// generating is the environment in which nobody gives a first password.
var generating = []string{"CONCOURSE_INIT_ROOT_PASSWORD="}

// firstPassword reads the file with the first password, as --password-file
// does, or returns "" if there is none.
func firstPassword(t *testing.T, h *hosttest.Host) string {
	t.Helper()
	path := filepath.Join(h.Home, "initial-admin-password")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	if info.Mode() != 0o600 || len(lines) != 3 || lines[0] == "" || lines[1] != "username admin" || lines[2] != "" {
		t.Fatalf("the file has mode %v and %d lines", info.Mode(), len(lines)-1)
	}
	return lines[0]
}

// leaveFirstPassword writes the file as a host's start that was cut short.
func leaveFirstPassword(t *testing.T, h *hosttest.Host, username, password string) {
	t.Helper()
	at, err := home.Open(h.Home)
	if err != nil {
		t.Fatal(err)
	}
	if err := at.WriteInitialPassword(username, account.Secret(password)); err != nil {
		t.Fatal(err)
	}
}

// initialized returns the audit lines of first administrators.
func initialized(t *testing.T, h *hosttest.Host) (all []audit.Entry) {
	t.Helper()
	for _, e := range h.Audit() {
		if e.Event == audit.Change && e.Verb == account.VerbInitialize {
			all = append(all, e)
		}
	}
	return all
}

func wantInitialized(t *testing.T, h *hosttest.Host, recovered bool) {
	t.Helper()
	all := initialized(t, h)
	if len(all) != 1 {
		t.Fatalf("%d lines of first administrators, want one: %+v", len(all), all)
	}
	if e := all[0]; e.Outcome != audit.OK || e.Target != hosttest.Administrator || e.Changed == nil || !*e.Changed || e.RequestID == "" || e.Recovered != recovered {
		t.Errorf("the line says %+v", e)
	}
}

func TestInitializeGivenPassword(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	h.Admin()
	if p := firstPassword(t, h); p != "" {
		t.Error("a password that somebody gave was written to a file")
	}
	if log := h.Log(); !strings.Contains(log, "The first administrator is 'admin' with the password from the settings") || strings.Contains(log, hosttest.Password) {
		t.Errorf("the host says:\n%s", log)
	}
	wantInitialized(t, h, false)
	// Once is for ever: later settings make nobody.
	h.Stop()
	h.Env = []string{"CONCOURSE_INIT_ROOT_USERNAME=another", "CONCOURSE_INIT_ROOT_PASSWORD=" + secret}
	h.Start()
	h.Admin()
	_, err := h.Login("another", secret)
	wantKind(t, "a second first administrator", err, account.KindNotAuthenticated, "")
	wantInitialized(t, h, false)
}

func TestInitializeShortPassword(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	h.Env = []string{"CONCOURSE_INIT_ROOT_PASSWORD=p4x"}
	h.Start()
	h.As("admin", "p4x")
	if log := h.Log(); !strings.Contains(log, "[WARN]") || !strings.Contains(log, "the first password has fewer than 8 characters") || strings.Contains(log, "p4x") {
		t.Errorf("the host says:\n%s", log)
	}
	wantInitialized(t, h, false)
}

func TestInitializePasswordFile(t *testing.T) {
	t.Parallel()
	elsewhere := filepath.Join(t.TempDir(), "admin")
	for name, path := range map[string]string{"Relative": "admin", "Absolute": elsewhere} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hosttest.New(t, "init.root.password_file: "+path)
			h.Env = generating
			if !filepath.IsAbs(path) {
				path = filepath.Join(h.Home, path)
			}
			for what, row := range map[string]struct{ content, says string }{
				"Empty": {"\nsecond", "The first line of " + path + ", see init.root.password_file, is empty; it must hold the password"},
				"Long":  {strings.Repeat("x", account.MaxPassword+1), "A password may have at most 1024 bytes, and the first line of " + path + ", see init.root.password_file, has more"},
				"None":  {"", "Cannot read the password, see init.root.password_file: open " + path + ": no such file or directory"},
			} {
				if err := os.WriteFile(path, []byte(row.content), 0o600); err != nil {
					t.Fatal(err)
				}
				if row.content == "" {
					os.Remove(path)
				}
				cmd := h.Command("start")
				cmd.Env = append(cmd.Env, generating...)
				if out := h.RunCommand(cmd, ""); out.Code != 2 || !strings.Contains(strings.ToLower(out.Stderr), strings.ToLower(row.says)) {
					t.Errorf("%s: %+v, want %q", what, out, row.says)
				}
			}
			mark := ""
			if path == elsewhere {
				mark = "\ufeff" // as some editors begin a file
			}
			if err := os.WriteFile(path, []byte(mark+secret+"\r\nno password\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			h.Start()
			h.As("admin", secret)
			if p := firstPassword(t, h); p != "" || strings.Contains(h.Log(), secret) {
				t.Errorf("the password shows in a file, or in\n%s", h.Log())
			}
			wantInitialized(t, h, false)
			// Once is for ever: the file may go.
			h.Stop()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			h.Start()
			h.As("admin", secret)
		})
	}
}

// The file with a generated password is there until the password is first
// changed, in whatever way, and survives everything else.
func TestInitializeGeneratedPassword(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]change{
		"Password": setPassword(secret), "EditPassword": setBoth("", secret), "Delete": deleteUser,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hosttest.New(t)
			h.Env = generating
			h.Start()
			generated := firstPassword(t, h)
			if log := h.Log(); generated == "" || !strings.Contains(log, "The first administrator is 'admin'; the password is in "+h.Home) || strings.Contains(log, generated) {
				t.Fatalf("the host says:\n%s", log)
			}
			wantInitialized(t, h, false)
			create(t, h.As("admin", generated), "second", account.Admin)
			second := h.As("second", secret)
			for what, c := range map[string]change{"suspend": suspend, "edit of the role": setRole(account.User), "grant": grant("prod")} {
				must(c(t.Context(), second, anew, "admin"))(t)
				if firstPassword(t, h) != generated {
					t.Fatalf("the file went with a %s", what)
				}
			}
			must(setPassword("of another account")(t.Context(), second, anew, "second"))(t)
			if firstPassword(t, h) != generated {
				t.Fatal("the file went with the password of another account")
			}
			must(end(t.Context(), h.As("second", "of another account"), anew, "admin"))(t)
			if firstPassword(t, h) != "" {
				t.Error("the file is left, and untrue")
			}
		})
	}
	t.Run("OwnPasswordByCommand", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		h.Env = generating
		h.Start()
		file := filepath.Join(h.Home, "initial-admin-password")
		out := h.RunCommand(h.Command("users", "password", "admin", "--set-password", secret, "--password-file", file), "")
		if out.Code != 0 || firstPassword(t, h) != "" {
			t.Errorf("%+v; the file is left: %v", out, firstPassword(t, h) != "")
		}
		h.As("admin", secret)
	})
	t.Run("LaterStarts", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		h.Env = generating
		h.Start()
		generated := firstPassword(t, h)
		h.Stop()
		h.Start()
		if firstPassword(t, h) != generated || !strings.Contains(h.Log(), "the password is in "+h.Home) {
			t.Errorf("the host says:\n%s", h.Log())
		}
		h.As("admin", generated)
		wantInitialized(t, h, false)
	})
}

// What a crash may leave between the steps of a first start.
func TestInitializeAfterACrash(t *testing.T) {
	t.Parallel()
	const left = "LEFT-BY-A-CRASH"
	t.Run("FileWithoutAccount", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		leaveFirstPassword(t, h, "admin", left)
		h.Env = generating
		h.Start()
		if firstPassword(t, h) != left {
			t.Error("the file changed")
		}
		h.As("admin", left)
		wantInitialized(t, h, false)
	})
	t.Run("FileOfAnotherName", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		leaveFirstPassword(t, h, "somebody", left)
		h.Env = generating
		h.Start()
		now := firstPassword(t, h)
		if now == left {
			t.Error("another name's password was taken")
		}
		h.As("admin", now)
	})
	t.Run("FileAndGivenPassword", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		leaveFirstPassword(t, h, "admin", left)
		h.Start()
		if firstPassword(t, h) != "" {
			t.Error("the file is left, and untrue")
		}
		h.Admin()
		_, err := h.Login("admin", left)
		wantKind(t, "the file's password", err, account.KindNotAuthenticated, "")
	})
	t.Run("UntrueFile", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		h.Kill()
		leaveFirstPassword(t, h, "admin", left)
		h.Start()
		if firstPassword(t, h) != "" || strings.Contains(h.Log(), "the password is in") {
			t.Errorf("the file is left: %v; the host says:\n%s", firstPassword(t, h) != "", h.Log())
		}
	})
	t.Run("UntrueFileOfNobody", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		h.Kill()
		leaveFirstPassword(t, h, "nobody", left)
		h.Start()
		if _, err := os.Stat(filepath.Join(h.Home, "initial-admin-password")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the file is left: %v", err)
		}
	})
	t.Run("TrueFileOfASuspendedAccount", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		h.Env = generating
		h.Start()
		generated := firstPassword(t, h)
		create(t, h.As("admin", generated), "second", account.Admin)
		must(suspend(t.Context(), h.As("second", secret), anew, "admin"))(t)
		h.Kill()
		h.Start()
		if firstPassword(t, h) != generated {
			t.Error("the only copy of a password that is still the account's is gone")
		}
	})
	t.Run("SpoiledFile", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		path := filepath.Join(h.Home, "initial-admin-password")
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.Env = generating
		if err := h.TryStart(); err == nil || !strings.Contains(h.Log(), path+" is not as it was written; remove it") {
			t.Errorf("it started, or says another thing: %v", err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		h.Start()
		h.As("admin", firstPassword(t, h))
	})
	// Killed before the first line could be written: the store's record has it.
	t.Run("AccountWithoutItsLine", func(t *testing.T) {
		t.Parallel()
		h := hosttest.New(t)
		h.Env = generating
		h.Start()
		generated := firstPassword(t, h)
		h.Kill()
		if err := os.RemoveAll(filepath.Dir(h.AuditLog())); err != nil {
			t.Fatal(err)
		}
		h.Start()
		wantInitialized(t, h, true)
		if firstPassword(t, h) != generated {
			t.Error("the file is not what it was")
		}
		h.As("admin", generated)
	})
}

// TestInitializeKilled kills first starts between the file and the ready host.
// Whatever was done, the next start leaves one administrator, whose password
// the file tells, and one line about it.
func TestInitializeKilled(t *testing.T) {
	t.Parallel()
	recovered := 0
	for kill := range 5 {
		h := hosttest.New(t)
		h.Env = generating
		host := launch(t, h, generating...)
		hosttest.Await(t, "a password is written", func() bool {
			_, err := os.Stat(filepath.Join(h.Home, "initial-admin-password"))
			return err == nil
		})
		time.Sleep(time.Duration(kill) * 25 * time.Millisecond) // hash, commit and line follow
		host.Process.Kill()
		host.Wait()
		before := firstPassword(t, h)
		h.Start()
		if firstPassword(t, h) != before {
			t.Errorf("kill %d: the password changed", kill)
		}
		h.As("admin", before)
		all := initialized(t, h)
		if len(all) != 1 {
			t.Fatalf("kill %d: %d lines of first administrators: %+v", kill, len(all), all)
		}
		if all[0].Recovered {
			recovered++
		}
		h.Kill()
	}
	t.Logf("%d lines were recovered", recovered)
}

// A plugin that does not say whether it has made the first administrator is asked
// again at the next start.
func TestInitializeErrOutcomeUnknown(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, "plugin:", "  path: "+hosttest.Build(t, "./host/testdata/trouble"), "  settings:", "    initialized: 'false'", "    change: panics")
	const says = "It is not known whether the first administrator 'admin' was created; start the host again, which finds out"
	if err := h.TryStart(); err == nil || !strings.Contains(err.Error(), "exit status 12") || !strings.Contains(err.Error(), says) {
		t.Errorf("the start ended with %v, want exit code 12 and %q", err, says)
	}
}
