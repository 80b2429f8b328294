package users_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

func (h *harness) backup() []byte {
	h.t.Helper()
	var b bytes.Buffer
	if err := h.Backup(h.t.Context(), &b); err != nil {
		h.t.Fatal(err)
	}
	return b.Bytes()
}

// populated is a harness with accounts of every kind, last logins and records.
func populated(t *testing.T) *harness {
	t.Helper()
	h := start(t)
	h.create("jeff", account.User)
	h.create("root", account.Admin)
	h.create("Zoë", account.User)
	h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "jeff", Permission: account.Write, Environment: "default"}))
	h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "jeff", Permission: account.Read, Environment: "default"}))
	h.must(h.Suspend(t.Context(), h.as("admin"), "Zoë"))
	h.must(h.Suspend(t.Context(), h.as("admin"), "root"))
	if _, err := h.login("jeff", newPassword); err != nil {
		t.Fatal(err)
	}
	for { // it is written down in the background
		last, err := h.Show(t.Context(), h.caller("admin"), "jeff")
		if err != nil {
			t.Fatal(err)
		}
		if !last.LastLoginAt.IsZero() {
			return h
		}
		time.Sleep(time.Millisecond)
	}
}

func TestBackup(t *testing.T) {
	t.Run("SaysWhatItIs", func(t *testing.T) {
		h := populated(t)
		before := time.Now()
		data := h.backup()
		s, err := backup.Verify(t.Context(), bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		var revision account.Revision
		h.view(func(r users.Reader) error { revision = r.Revision(); return nil })
		if s.Backend != "test" || s.BackendVersion != "1.2.3" || s.StoreID == "" || s.Revision != uint64(revision) ||
			s.TakenAt.Before(before.Add(-time.Second)) || s.Accounts != 4 || s.Entries != uint64(len(h.contents())) {
			t.Errorf("it says %+v", s)
		}
	})
	// A kill, or a power cut, may come before a spool has lost its name.
	t.Run("LeftOver", func(t *testing.T) {
		home := t.TempDir()
		for _, name := range []string{".backup-123", ".backup-1x", "backup-1"} {
			if err := os.WriteFile(filepath.Join(home, name), []byte("hashes"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(home, ".backup-4"), 0o700); err != nil {
			t.Fatal(err)
		}
		h := unconfigured(t, &hooked{Store: mem.New()})
		if _, err := h.Configure(t.Context(), account.Configuration{Home: home}); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(home)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, e := range entries {
			left = append(left, e.Name())
		}
		if want := []string{".backup-1x", ".backup-4", "backup-1"}; !slices.Equal(left, want) {
			t.Errorf("the home has %q, want %q", left, want)
		}
	})
	// The store goes on while whoever reads the backup takes their time, and
	// nothing of it is left in the host's home.
	t.Run("HoldsNobodyUp", func(t *testing.T) {
		home := t.TempDir()
		h := unconfigured(t, &hooked{Store: mem.New()})
		if _, err := h.Configure(t.Context(), account.Configuration{Home: home}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
			t.Fatal(err)
		}
		wrote := 0
		if err := h.Backup(t.Context(), writing(func(p []byte) (int, error) {
			wrote += len(p)
			h.put("other", 1)
			if all, err := os.ReadDir(home); err != nil || len(all) > 0 {
				t.Errorf("the home has %v (%v)", all, err)
			}
			return len(p), nil
		})); err != nil || wrote == 0 {
			t.Errorf("%d bytes, %v", wrote, err)
		}
	})
	t.Run("SaysThatItGoesOn", func(t *testing.T) {
		h := populated(t)
		h.store.Store = slowToRead{h.store.Store}
		var empty, data int
		if err := h.Backup(t.Context(), writing(func(p []byte) (int, error) {
			switch {
			case len(p) > 0:
				data++
			case data > 0:
				t.Error("an empty write came after the first data")
			default:
				empty++
			}
			return len(p), nil
		})); err != nil || empty == 0 || data == 0 {
			t.Errorf("%d empty writes, %d others, %v", empty, data, err)
		}
		gone := errors.New("nobody waits any more")
		if err := h.Backup(t.Context(), writing(func([]byte) (int, error) { return 0, gone })); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrWriter", func(t *testing.T) {
		broken := errors.New("broken")
		if err := populated(t).Backup(t.Context(), writing(func([]byte) (int, error) { return 0, broken })); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrContext", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := populated(t).Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrNotInitialised", func(t *testing.T) {
		err := open(t, &hooked{Store: mem.New()}, nil).Backup(t.Context(), io.Discard)
		refusal(t, err, account.KindUnavailable, "")
	})
	t.Run("ErrNotConfigured", func(t *testing.T) {
		err := unconfigured(t, &hooked{Store: mem.New()}).Backup(t.Context(), io.Discard)
		refusal(t, err, account.KindUnavailable, "")
	})
	t.Run("ErrNoHome", func(t *testing.T) {
		h := unconfigured(t, &hooked{Store: mem.New()})
		if _, err := h.Configure(t.Context(), account.Configuration{Home: t.TempDir() + "/gone"}); err != nil {
			t.Fatal(err)
		}
		refusal(t, h.Backup(t.Context(), io.Discard), account.KindUnavailable, "")
	})
	for name, damage := range map[string]struct {
		do   func(h *harness)
		says string
	}{
		"ErrUnheardOfField": {func(h *harness) { h.rewrite("jeff", func(v map[string]any) { v["unheard_of"] = 1 }) }, `"jeff" in accounts`},
		"ErrHash":           {func(h *harness) { h.rewrite("jeff", func(v map[string]any) { v["hash"] = "$md5$secret" }) }, `"jeff" in accounts`},
		"ErrMeta":           {func(h *harness) { h.put("unheard_of", 1) }, `"unheard_of" in meta`},
		"ErrCounter":        {func(h *harness) { h.put("admins", 7) }, "counts 7"},
	} {
		t.Run(name, func(t *testing.T) {
			h := populated(t)
			counter := h.contents()["meta/admins"]
			damage.do(h)
			err := h.Backup(t.Context(), io.Discard)
			refusal(t, err, account.KindUnavailable, "")
			if err == nil || !strings.Contains(err.Error(), damage.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("it says %q, want %q", err, damage.says)
			}
			h.put("admins", jsonNumber(counter))
		})
	}
}

func jsonNumber(text string) any { return map[string]any{"1": 1, "2": 2}[text] }

// slowToRead takes its time over each Scan.
type slowToRead struct{ users.Store }

func (s slowToRead) View(ctx context.Context, fn func(users.Reader) error) error {
	return s.Store.View(ctx, func(r users.Reader) error { return fn(slowReader{r}) })
}

type slowReader struct{ users.Reader }

func (r slowReader) Scan(space users.Space, from string, fn func(string, []byte) error) error {
	time.Sleep(300 * time.Millisecond)
	return r.Reader.Scan(space, from, fn)
}

type writing func([]byte) (int, error)

func (w writing) Write(p []byte) (int, error) { return w(p) }
