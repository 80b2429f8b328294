package host_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestNewerHome has every command that opens a home meet a store of a later
// release: it is refused, and the home stays as it is, but for the lock and the
// lines in the audit log that say so.
func TestNewerHome(t *testing.T) {
	t.Parallel()
	for what, says := range map[string]string{
		"contents": "store has format 3, written by a newer release; this one reads format 2 and leaves it as it is; use that release",
		"layout":   "has layout 2, written by a newer release; this one reads layout 1 and leaves it as it is; use that release",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := hosttest.Start(t)
			saved := filepath.Join(t.TempDir(), "backup")
			succeeds(t, operator(t, h, "backup", saved))
			h.Stop()
			cmd := exec.Command(hosttest.BuildPlain(t, "./host/testdata/newer"), what, filepath.Join(h.Home, "accounts.db"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			before, lines := filesOf(t, h.Home), len(h.Audit())
			for _, command := range [][]string{
				{"start"}, {"recover", hosttest.Administrator, "--no-input", "--set-password-file", "-"}, {"restore", "--yes", saved},
			} {
				refuses(t, h.RunCommand(h.Command(command...), secret+"\n"), 10, says)
			}
			if diff := cmp.Diff(before, filesOf(t, h.Home)); diff != "" {
				t.Errorf("the home was changed (-before +after):\n%s", diff)
			}
			told := 0
			for _, e := range h.Audit()[lines:] {
				if strings.Contains(e.Detail, says) {
					told++
				}
			}
			if told != 3 {
				t.Errorf("%d lines in the audit log tell of it, want 3", told)
			}
		})
	}
}

// filesOf returns what is in a home, but for the lock and the audit log.
func filesOf(t *testing.T, home string) map[string]string {
	t.Helper()
	files := map[string]string{}
	if err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(home, path)
		switch {
		case name == "host.lock" || name == filepath.Join("audit", "audit.jsonl"):
		case d.Type().IsRegular():
			info, err := d.Info()
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files[name] = fmt.Sprintf("%v %v %x", info.Mode(), info.ModTime(), sha256.Sum256(content))
		default:
			files[name] = d.Type().String()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// TestNewerBackup has a restore meet backups of a later release: of another form,
// and of other contents. The store stays as it is.
func TestNewerBackup(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	saved := filepath.Join(t.TempDir(), "backup")
	succeeds(t, operator(t, h, "backup", saved))
	h.Stop()
	whole, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(h.Home, "accounts.db")
	before, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	for outcome, c := range map[string]struct {
		from, to, says string
		code           int
	}{
		"Form": {
			`"concourse_backup":1`, `"concourse_backup":2`,
			"version 2 of the form of backups, written by a newer release; this one reads version 1; use that release", 2,
		},
		"Contents": {
			`"format":2`, `"format":3`,
			"backup has store format 3, written by a newer release; this one reads format 2; use that release", 10,
		},
	} {
		newer := bytes.ReplaceAll(whole, []byte(c.from), []byte(c.to))
		if bytes.Equal(newer, whole) {
			t.Fatalf("%s: the backup has no %s", outcome, c.from)
		}
		if err := os.WriteFile(saved, resummed(t, newer), 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(t, h.RunCommand(h.Command("restore", "--yes", saved), ""), c.code, c.says)
		if after, err := os.ReadFile(store); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the store was changed, %v", outcome, err)
		}
		if left, err := filepath.Glob(filepath.Join(h.Home, "backups", "*")); err != nil || len(left) != 0 {
			t.Errorf("%s: a copy of what was not replaced is left: %q, %v", outcome, left, err)
		}
	}
	h.Start()
	h.Admin()
}

// resummed gives a backup the last line that its content takes.
func resummed(t *testing.T, content []byte) []byte {
	t.Helper()
	end := bytes.LastIndexByte(bytes.TrimSuffix(content, []byte{'\n'}), '\n') + 1
	var last map[string]any
	if err := json.Unmarshal(content[end:], &last); err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(content, []byte(last["sha256"].(string)), fmt.Appendf(nil, "%x", sha256.Sum256(content[:end])), 1)
}

// TestNewerAuditLog has a host take over an audit log in which a later release
// has written events, verbs and fields of its own, as one that goes back does:
// they can be read, and what follows is numbered behind them.
func TestNewerAuditLog(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	h.Stop()
	all := h.Audit()
	last := all[len(all)-1]
	line := fmt.Sprintf(`{"time":%q,"seq":%d,"event":"moved","outcome":"postponed","verb":"rename","target":"jeff","to":{"name":"ana"},`+
		`"caller":{"username":"admin","badge":7},"request_id":"not of this form"}`+"\n", time.Now().UTC().Format(time.RFC3339Nano), last.Seq+1)
	f, err := os.OpenFile(h.AuditLog(), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = f.WriteString(line + strings.NewReplacer(
			`"moved"`, `"change"`, fmt.Sprint(`"seq":`, last.Seq+1), fmt.Sprint(`"seq":`, last.Seq+2)).Replace(line))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	h.Start()
	create(t, h.Admin(), "jeff", account.User)
	now := h.Audit()
	for i, event := range []audit.Event{"moved", audit.Change} {
		e := now[len(all)+i]
		if e.Event != event || e.Verb != "rename" || e.Target != "jeff" || e.Outcome != "postponed" || e.Caller.Username != "admin" {
			t.Errorf("the line is read as %+v", e)
		}
	}
	for i := range now[1:] {
		if now[i+1].Seq != now[i].Seq+1 {
			t.Errorf("number %d follows %d", now[i+1].Seq, now[i].Seq)
		}
	}
	if content, err := os.ReadFile(h.AuditLog()); err != nil || !bytes.Contains(content, []byte(line)) {
		t.Errorf("the line is not as it was written, %v", err)
	}
}
