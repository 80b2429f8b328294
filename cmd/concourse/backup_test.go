package main_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

func (o fakeOperator) Backup(_ *managementv1.BackupRequest, stream managementv1.Operator_BackupServer) error {
	return wire.ToStatus(o.host.backup(stream.Context(), func(data []byte) error {
		return stream.Send(&managementv1.BackupResponse{Data: data})
	}))
}

// empty checks that nothing was left in the directory.
func empty(t *testing.T, dir string) {
	t.Helper()
	if all, err := os.ReadDir(dir); err != nil || len(all) > 0 {
		t.Errorf("%v is left (%v)", all, err)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	t.Run("ProgressAndControlC", func(t *testing.T) {
		dir := t.TempDir()
		f := serve(t, &fakeHost{backup: func(ctx context.Context, send func([]byte) error) error {
			for range 3 {
				if err := send(make([]byte, 32<<10)); err != nil {
					return err
				}
				time.Sleep(600 * time.Millisecond)
			}
			<-ctx.Done()
			return ctx.Err()
		}})
		s := open(t, f.as("backup", filepath.Join(dir, "b")))
		s.await("received 96.0 KiB")
		s.types("received 96.0 KiB", "\x03")
		if err := s.cmd.Wait(); s.cmd.ProcessState.ExitCode() != 130 {
			t.Error(err)
		}
		s.awaitText("ERROR: Interrupted")
		empty(t, dir)
	})
	t.Run("ErrTerminal", func(t *testing.T) {
		s := open(t, serve(t, &fakeHost{}).as("backup", "-"))
		s.ends(2, "ERROR: A backup is not for a terminal; name a file, or send standard output somewhere else\n")
	})
	// What the host sends is not believed.
	for name, c := range map[string]struct {
		backup func(context.Context, func([]byte) error) error
		code   int
		says   string
	}{
		"ErrGarbage": {func(_ context.Context, send func([]byte) error) error { return send([]byte("garbage\n")) },
			1, "is not a whole backup: it is not a backup of a users store"},
		"ErrNothing": {func(context.Context, func([]byte) error) error { return nil },
			1, "is not a whole backup: it is empty"},
		"ErrUnsupported": {func(context.Context, func([]byte) error) error { return account.Unsupported("backup") },
			10, "A backup is unsupported by this backend"},
		"ErrHalfway": {func(_ context.Context, send func([]byte) error) error {
			return errors.Join(send([]byte("{")), account.Unavailable("it broke"))
		}, 7, "It broke"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := serve(t, &fakeHost{backup: c.backup})
			o := run(t, f.as("backup", filepath.Join(dir, "b")))
			if o.code != c.code || !strings.Contains(o.stderr, c.says) || o.stdout != "" {
				t.Errorf("exit code %d, %q, %q", o.code, o.stdout, o.stderr)
			}
			empty(t, dir)
			if o := run(t, f.as("backup", "-")); o.code != c.code || !strings.Contains(o.stderr, c.says) {
				t.Errorf("to standard output: exit code %d, %q", o.code, o.stderr)
			}
		})
	}
	t.Run("ErrConnectionBreaks", func(t *testing.T) {
		dir := t.TempDir()
		f := &fakeHost{}
		f.backup = func(ctx context.Context, send func([]byte) error) error {
			err := send([]byte(`{"concourse_backup":1`))
			f.hangUp()
			<-ctx.Done()
			return err
		}
		o := run(t, serve(t, f).as("backup", filepath.Join(dir, "b")))
		if o.code != 7 || !strings.Contains(o.stderr, "The connection to the host broke") {
			t.Errorf("exit code %d, %q", o.code, o.stderr)
		}
		empty(t, dir)
	})
}

func TestRestoreOnATerminal(t *testing.T) {
	t.Parallel()
	const q = "Replace everything that the store holds? Type the whole word yes to go on: "
	h := hosttest.Start(t)
	file := filepath.Join(t.TempDir(), "users.backup")
	if o := run(t, asking(h, "backup", file)); o.code != 0 {
		t.Fatal(o.stderr)
	}
	jeff(t, h.Admin())
	h.Stop()
	const refused = "ERROR: The answer was not \"yes\", so the store HAS NOT been restored\n"
	for answer, says := range map[string]string{
		"y\r": refused, "\r": refused, "YES\r": refused,
		"\x03": "ERROR: Interrupted; nothing was changed\n",
	} {
		s := open(t, asking(h, "restore", file))
		s.types(q, answer)
		if err := s.cmd.Wait(); s.cmd.ProcessState.ExitCode() != 130 {
			t.Errorf("%q: %v", answer, err)
		}
		s.awaitText(says)
	}
	h.Start()
	expectJeff(t, h.Admin(), account.User, true, "jeff likes jam")
	h.Stop()
	s := open(t, asking(h, "restore", file))
	s.types(q, "yes\r")
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	shown := s.text()
	if !strings.HasPrefix(shown, file+" is a whole backup\nTaken:    just now\nAccounts: 1\nSize:     ") ||
		!strings.Contains(shown, q+"yes\nRestored 1 account as of just now\nWhat the store held before is in ") {
		t.Errorf("the screen shows\n%s", shown)
	}
	h.Start()
	expectNobody(t, h.Admin(), "jeff")
}

func TestRecoverOnATerminal(t *testing.T) {
	t.Parallel()
	const (
		first    = "New password for admin: "
		again    = "Re-enter password: "
		regained = "regained by the operator"
	)
	h := hosttest.Start(t)
	h.Stop()
	s := open(t, asking(h, "recover", "admin"))
	s.types(first, regained+"\r")
	s.types(again, regained+"!\r")
	s.ends(2, first+"\n"+again+"\nERROR: Password confirmation failed so 'admin' HAS NOT been recovered\n")
	s = open(t, asking(h, "recover", "admin"))
	s.types(first, "half\x03")
	s.ends(130, first+"\nERROR: Interrupted; nothing was changed\n")
	h.Start()
	h.Admin()
	h.Stop()
	s = open(t, asking(h, "recover"))
	s.types("User to recover: ", "admin\r")
	s.await(first)
	s.expectEcho(false)
	s.types(first, "regain!\r")
	s.types(again, "regain!\r")
	const short = "A password must have at least 8 characters\n"
	s.types(short+first, regained+"\r")
	s.types(again, regained+"\r")
	s.ends(0, "User to recover: admin\n"+first+"\n"+again+"\n"+short+first+"\n"+again+"\n'admin' is an enabled ADMIN with the new password\n")
	h.Start()
	h.As("admin", regained)
}
