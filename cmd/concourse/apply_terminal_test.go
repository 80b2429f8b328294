package main_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// progressLine matches the line that is drawn, and what erases it.
var progressLine = regexp.MustCompile(`\d+ of \d+ accounts?(, \d+/s, \d+m?\d*s left)?\r +\r`)

func TestApplyOnATerminal(t *testing.T) {
	t.Parallel()
	file := written(t, numberedAccounts(400))
	apply := func(t *testing.T, more ...string) (*fakeHost, invocation) {
		f := serve(t, &fakeHost{applied: make(chan error)})
		in := f.as(append([]string{"users", "apply", "-f", file}, more...)...)
		in.env = append(in.env, "P=they share a secret")
		return f, in
	}
	// Ctrl-C ends it once what was begun is done.
	t.Run("Interrupted", func(t *testing.T) {
		f, in := apply(t)
		s := open(t, in)
		for range 10 {
			f.applied <- nil
		}
		s.awaitText("10 of 400 accounts, ")
		s.types("", "\x03")
		s.awaitText("^C")
		ended := make(chan struct{})
		go func() { defer close(ended); _ = s.cmd.Wait() }()
		made := 10
		for over := false; !over; {
			select {
			case <-ended:
				over = true
			case f.applied <- nil:
				made++
				time.Sleep(5 * time.Millisecond)
			}
		}
		if code := s.cmd.ProcessState.ExitCode(); code != 130 {
			t.Fatalf("exit code %d: %q", code, s.text())
		}
		s.awaitText("for the rest\n")
		said := fmt.Sprintf("\n400 accounts: %d created, %d not begun\nERROR: Interrupted; %d of 400 accounts done, run it again for the rest\n", made, 400-made, made)
		if shown := s.text(); !strings.HasSuffix(shown, said) || strings.Count(shown, "created user") != made {
			t.Errorf("it made %d, and says %q", made, shown)
		}
	})
	t.Run("ProgressIsErased", func(t *testing.T) {
		f, in := apply(t)
		s := open(t, in)
		for range 10 {
			f.applied <- nil
		}
		s.awaitText("10 of 400 accounts, ")
		close(f.applied)
		_ = s.cmd.Wait()
		s.awaitText("400 created\n")
		// What stands in the lines in the end.
		lines := strings.Split(progressLine.ReplaceAllString(s.text(), ""), "\n")
		for i, line := range lines[:400] {
			if line != fmt.Sprintf("created user%04d (USER)", i) {
				t.Errorf("line %d is %q", i, line)
			}
		}
		if len(lines) != 402 || lines[400] != "400 accounts: 400 created" {
			t.Errorf("it ends with %q", lines[400:])
		}
	})
	t.Run("NoProgressForAProgram", func(t *testing.T) {
		f, in := apply(t, "--format", "json")
		s := open(t, in)
		time.AfterFunc(1500*time.Millisecond, func() { close(f.applied) })
		_ = s.cmd.Wait()
		s.await("]\n")
		if strings.Contains(s.text(), "\r") || !strings.HasPrefix(s.text(), "[\n") {
			t.Errorf("it shows %.200q", s.text())
		}
	})
	t.Run("ErrorsAreRed", func(t *testing.T) {
		f, in := apply(t)
		in.env = append(in.env, "TERM=xterm")
		s := open(t, in)
		f.applied <- account.Invalid("", "it is too much")
		close(f.applied)
		s.awaitText("\x1b[31mERROR:\x1b[m " + file + ":")
		_ = s.cmd.Wait()
	})
}

func TestPruneIsConfirmed(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	const (
		question = "Delete 2 accounts (bob, jeff)? [y/N] "
		own      = "Note: admin is in no file, and stays, because it is your own account\n"
	)
	jeff(t, c)
	r := account.Create{Username: "bob", Role: account.User, Password: account.Secret("bob likes beans")}
	if _, err := c.Create(t.Context(), account.RequestID{}, r); err != nil {
		t.Fatal(err)
	}
	file := written(t, "{username: kim, password_env: P}")
	apply := func(more ...string) *screen {
		in := as(h, append([]string{"users", "apply", "--prune", "-f", file}, more...)...)
		in.env = append(in.env, "P=kim keeps bees")
		return open(t, in)
	}
	t.Run("No", func(t *testing.T) {
		s := apply()
		s.types(question, "\r")
		s.ends(130, question+"\nERROR: Nothing was changed\n")
		expectJeff(t, c, account.User, true, "jeff likes jam")
		expectNobody(t, c, "kim")
	})
	t.Run("Interrupted", func(t *testing.T) {
		s := apply()
		s.types(question, "\x03")
		s.ends(130, question+"^C\nERROR: Interrupted; nothing was changed\n")
	})
	t.Run("ErrNoInput", func(t *testing.T) {
		apply("--no-input").ends(2, "ERROR: Nothing answers '"+strings.TrimSpace(question)+"'; give --yes\n")
		expectNobody(t, c, "kim")
	})
	t.Run("DryRunDoesNotAsk", func(t *testing.T) {
		apply("--dry-run").ends(0, "+ kim\n    role: USER\n    enabled: true\n    password: (set)\n- bob\n- jeff\n"+
			"3 accounts: 1 to create, 2 to delete; nothing was changed\n"+own)
	})
	t.Run("Yes", func(t *testing.T) {
		s := apply()
		s.types(question, "y\r")
		s.ends(0, question+"y\ncreated kim (USER)\ndeleted bob\ndeleted jeff\n3 accounts: 1 created, 2 deleted\n"+own)
	})
	t.Run("ByOption", func(t *testing.T) {
		jeff(t, c)
		apply("--yes").ends(0, "deleted jeff\n2 accounts: 1 deleted, 1 unchanged\n"+own)
	})
	t.Run("NothingToDelete", func(t *testing.T) {
		apply().ends(0, "1 account: nothing to change\n"+own)
	})
}

func TestExportOnATerminal(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	open(t, as(h, "users", "export", "--with-hashes")).
		ends(2, "ERROR: Password hashes are not for a terminal; give -o FILE, or -o - if they are to be seen\n")
	s := open(t, as(h, "users", "export", "--with-hashes", "-o", "-"))
	s.awaitText("password_hash: \"$argon2id$")
	open(t, as(h, "users", "export")).ends(0, "- username: admin\n  role: ADMIN\n  enabled: true\n  grants: {}\n")
}
