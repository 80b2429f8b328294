package main_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// admin answers the first two questions.
func (s *screen) admin() {
	s.t.Helper()
	s.types("Username [admin]: ", "\r")
	s.types("password for [admin]: ", hosttest.Password+"\r")
}

const asAdmin = "Username [admin]: \npassword for [admin]: \n"

// jeff makes an account for the test, anew.
func jeff(t *testing.T, c *management.Client) {
	t.Helper()
	if _, err := c.Delete(t.Context(), account.RequestID{}, account.Delete{Username: "jeff", IfExists: true}); err != nil {
		t.Fatal(err)
	}
	r := account.Create{Username: "jeff", Role: account.User, Password: account.Secret("jeff likes jam")}
	if _, err := c.Create(t.Context(), account.RequestID{}, r); err != nil {
		t.Fatal(err)
	}
}

// expectJeff checks that the account is as jeff made it, but for what is given.
func expectJeff(t *testing.T, c *management.Client, role account.Role, enabled bool, password string) {
	t.Helper()
	a, err := c.Show(t.Context(), "jeff")
	if err != nil || a.Role != role || a.Enabled != enabled {
		t.Errorf("the account is %v, enabled: %v (%v), want %v, %v", a.Role, a.Enabled, err, role, enabled)
	}
	ok, err := c.CheckPassword(t.Context(), account.Password{Username: "jeff", Password: account.Secret(password)})
	if err != nil || !ok {
		t.Errorf("the password is not %q (%v)", password, err)
	}
}

func expectNobody(t *testing.T, c *management.Client, username string) {
	t.Helper()
	if _, err := c.Show(t.Context(), username); account.KindOf(err) != account.KindNotFound {
		t.Errorf("%s is there (%v)", username, err)
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	t.Run("PasswordsAreHiddenAndNewOnesEnteredTwice", func(t *testing.T) {
		s := open(t, asking(h, "users", "create"))
		s.admin()
		s.types("Name for new user: ", "carl\r")
		s.types("Password for carl: ", "carl keeps cats\r")
		s.types("Re-enter password: ", "carl keeps cats\r")
		s.types("Role for carl [ADMIN|USER]: ", "admin\r")
		s.ends(0, asAdmin+"Name for new user: carl\nPassword for carl: \nRe-enter password: \nRole for carl [ADMIN|USER]: admin\n"+
			"New user 'carl' has been created\n")
		s = open(t, asking(h, "users", "show", "carl"))
		s.types("Username [admin]: ", "carl\r")
		s.types("password for [carl]: ", "carl keeps cats\r")
		s.awaitText("Role:         ADMIN")
	})
	t.Run("StandardInputAsAFileIsHiddenToo", func(t *testing.T) {
		jeff(t, c)
		s := open(t, as(h, "users", "password", "jeff", "--set-password-file", "-"))
		s.types("New password for jeff: ", "jeff likes ham\r")
		s.types("Re-enter password: ", "jeff likes ham\r")
		s.ends(0, "New password for jeff: \nRe-enter password: \nPassword for user 'jeff' has been set\n")
		expectJeff(t, c, account.User, true, "jeff likes ham")
	})
	t.Run("CheckedPasswordIsEnteredOnce", func(t *testing.T) {
		jeff(t, c)
		s := open(t, as(h, "users", "check-password", "jeff"))
		s.types("Password to check for jeff: ", "jeff likes jam\r")
		s.ends(0, "Password to check for jeff: \nThe password matches\n")
	})
	t.Run("EditKeepsWhatIsLeftEmpty", func(t *testing.T) {
		jeff(t, c)
		s := open(t, as(h, "users", "edit"))
		s.types("Which user do you want to edit? ", "jeff\r")
		s.types("Role for jeff [ADMIN|USER, Enter to keep]: ", "admin\r")
		s.types("New password for jeff [keep]: ", "\r")
		s.ends(0, "Which user do you want to edit? jeff\nRole for jeff [ADMIN|USER, Enter to keep]: admin\nNew password for jeff [keep]: \n"+
			"Successfully set the user's role to ADMIN\n")
		expectJeff(t, c, account.Admin, true, "jeff likes jam")
	})
	t.Run("MistypedRoleIsAskedForAgain", func(t *testing.T) {
		jeff(t, c)
		const q = "Role for jeff [ADMIN|USER, Enter to keep]: "
		s := open(t, as(h, "users", "edit", "jeff"))
		s.types(q, "amdin\r")
		s.types("\"amdin\" is not a role; use ADMIN or USER\n"+q, "admin\r")
		s.types("New password for jeff [keep]: ", "\r")
		s.awaitText("Successfully set the user's role to ADMIN")
		expectJeff(t, c, account.Admin, true, "jeff likes jam")
	})
	t.Run("WhatIsNoNameIsAskedForAgain", func(t *testing.T) {
		jeff(t, c)
		const q = "User to suspend: "
		s := open(t, asking(h, "users", "suspend"))
		s.admin()
		s.types(q, "jeff k\r")
		s.types("A username must not contain white space\n"+q, "\r")
		s.types("A username must not be empty\n"+q, "jeff\r")
		s.ends(0, asAdmin+q+"jeff k\nA username must not contain white space\n"+q+"\nA username must not be empty\n"+q+"jeff\n"+
			"User 'jeff' is suspended\n")
	})
	t.Run("ErrMistypedThreeTimes", func(t *testing.T) {
		jeff(t, c)
		const (
			q   = "Permission for jeff [READ|WRITE]: "
			bad = "\"all\" is not a permission; use READ or WRITE\n"
		)
		s := open(t, as(h, "users", "grant", "jeff"))
		s.types(q, "all\r")
		s.types(bad+q, "all\r")
		s.types(bad+q+"all\n"+bad+q, "all\r")
		s.ends(2, q+"all\n"+bad+q+"all\n"+bad+q+"all\nERROR: "+bad)
	})
	t.Run("DeleteOfANamedUserIsNotAsked", func(t *testing.T) {
		jeff(t, c)
		open(t, as(h, "users", "delete", "jeff")).ends(0, "The user named 'jeff' has been deleted\n")
		expectNobody(t, c, "jeff")
	})
	t.Run("DeleteIsConfirmedAfterAPromptedName", func(t *testing.T) {
		jeff(t, c)
		s := open(t, as(h, "users", "delete"))
		s.types("User to delete: ", "jeff\r")
		s.types("Delete jeff for good? [y/N] ", "\r")
		s.ends(130, "User to delete: jeff\nDelete jeff for good? [y/N] \nERROR: The user named 'jeff' HAS NOT been deleted\n")
		expectJeff(t, c, account.User, true, "jeff likes jam")
		s = open(t, as(h, "users", "delete"))
		s.types("User to delete: ", "jeff\r")
		s.types("Delete jeff for good? [y/N] ", "y\r")
		s.ends(0, "User to delete: jeff\nDelete jeff for good? [y/N] y\nThe user named 'jeff' has been deleted\n")
		expectNobody(t, c, "jeff")
	})
	t.Run("ErrCredentialsBeforeAnythingElse", func(t *testing.T) {
		s := open(t, asking(h, "users", "create"))
		s.types("Username [admin]: ", "root\r")
		s.types("password for [root]: ", "not the password\r")
		s.ends(3, "Username [admin]: root\npassword for [root]: \nERROR: Invalid username/password combination\n")
	})
	t.Run("ErrNameTakenBeforeAPassword", func(t *testing.T) {
		jeff(t, c)
		s := open(t, as(h, "users", "create"))
		s.types("Name for new user: ", "jeff\r")
		s.ends(6, "Name for new user: jeff\nERROR: A user named 'jeff' already exists\n")
	})
	t.Run("ErrMismatchCreatesNothing", func(t *testing.T) {
		s := open(t, as(h, "users", "create", "nat"))
		s.types("Password for nat: ", "nat needs nuts\r")
		s.types("Re-enter password: ", "nat needs nets\r")
		s.ends(2, "Password for nat: \nRe-enter password: \nERROR: Password confirmation failed so 'nat' HAS NOT been created\n")
		expectNobody(t, c, "nat")
	})
	t.Run("ErrMismatchSetsNothing", func(t *testing.T) {
		jeff(t, c)
		s := open(t, as(h, "users", "password", "jeff"))
		s.types("New password for jeff: ", "jeff likes ham\r")
		s.types("Re-enter password: ", "jeff likes spam\r")
		s.ends(2, "New password for jeff: \nRe-enter password: \n"+
			"ERROR: Password confirmation failed so the password for user 'jeff' HAS NOT been modified\n")
		expectJeff(t, c, account.User, true, "jeff likes jam")
	})
	t.Run("RefusedPasswordIsAskedForAgain", func(t *testing.T) {
		const short = "A password must have at least 8 characters\n"
		const q, again = "Password for ora: ", "Re-enter password: "
		s := open(t, as(h, "users", "create", "ora"))
		s.types(q, "short\r")
		s.types(again, "short\r")
		s.types("Role for ora [ADMIN|USER]: ", "user\r")
		s.types(short+q, "ora likes oranges\r")
		s.types(again, "ora likes oranges\r")
		s.ends(0, q+"\n"+again+"\nRole for ora [ADMIN|USER]: user\n"+short+q+"\n"+again+"\nNew user 'ora' has been created\n")
		jeff(t, c)
		s = open(t, as(h, "users", "password", "jeff"))
		refused := ""
		for range 3 {
			s.types(refused+"New password for jeff: ", "short\r")
			s.types(again, "short\r")
			refused += "New password for jeff: \n" + again + "\n" + short
		}
		s.ends(2, strings.TrimSuffix(refused, short)+"ERROR: "+short)
		expectJeff(t, c, account.User, true, "jeff likes jam")
		const role, keep = "Role for jeff [ADMIN|USER, Enter to keep]: ", "New password for jeff [keep]: "
		s = open(t, as(h, "users", "edit", "jeff"))
		s.types(role, "admin\r")
		s.types(keep, "short\r")
		s.types(again, "short\r")
		s.types(short+keep, "\r")
		s.ends(0, role+"admin\n"+keep+"\n"+again+"\n"+short+keep+"\nSuccessfully set the user's role to ADMIN\n")
		expectJeff(t, c, account.Admin, true, "jeff likes jam")
	})
	t.Run("ErrEndOfInputIsNoAgreement", func(t *testing.T) {
		jeff(t, c)
		s := open(t, as(h, "users", "password", "jeff"))
		s.types("New password for jeff: ", "jeff likes ham\r")
		s.types("Re-enter password: ", "\x04")
		s.ends(2, "New password for jeff: \nRe-enter password: \n"+
			"ERROR: Nothing answers 'Re-enter password'; give --set-password-file, --set-password or --generate\n")
		expectJeff(t, c, account.User, true, "jeff likes jam")
	})
	t.Run("ErrEndOfInputAtAVisibleQuestion", func(t *testing.T) {
		s := open(t, as(h, "users", "suspend"))
		s.types("User to suspend: ", "\x04")
		s.ends(2, "User to suspend: \nERROR: Nothing answers 'User to suspend'; give the username as an argument\n")
	})
	t.Run("ErrEndOfInputAtAHiddenQuestion", func(t *testing.T) {
		s := open(t, asking(h, "users", "list", "-u", "admin"))
		s.types("password for [admin]: ", "\x04")
		s.ends(2, "password for [admin]: \nERROR: Nothing answers 'password for [admin]'; give --password-file or --password, or set CONCOURSE_PASSWORD\n")
	})
}

// Whatever ends a question, echo comes back and nothing has been changed.
func TestInterruptedAtAQuestion(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	jeff(t, c)
	const (
		hidden      = "New password for jeff: "
		again       = "Re-enter password: "
		interrupted = "ERROR: Interrupted; nothing was changed\n"
	)
	for name, interrupt := range map[string]func(*screen){
		"ControlC":  func(s *screen) { s.types(hidden, "half\x03") },
		"Quit":      func(s *screen) { s.types(hidden, "half\x1c") },
		"Terminate": func(s *screen) { s.await(hidden); s.cmd.Process.Signal(syscall.SIGTERM) },
		"Hangup":    func(s *screen) { s.await(hidden); s.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, as(h, "users", "password", "jeff"))
			interrupt(s)
			s.ends(130, hidden+"\n"+interrupted)
		})
	}
	t.Run("SecondEntry", func(t *testing.T) {
		s := open(t, as(h, "users", "password", "jeff"))
		s.types(hidden, "jeff likes ham\r")
		s.types(again, "jeff likes ham\x03")
		s.ends(130, hidden+"\n"+again+"\n"+interrupted)
	})
	t.Run("OwnPassword", func(t *testing.T) {
		s := open(t, asking(h, "users", "delete", "jeff"))
		s.types("Username [admin]: ", "\r")
		s.types("password for [admin]: ", hosttest.Password+"\x03")
		s.ends(130, asAdmin+interrupted)
	})
	t.Run("VisibleQuestion", func(t *testing.T) {
		s := open(t, as(h, "users", "suspend"))
		s.types("User to suspend: ", "jeff")
		s.types("jeff", "\x03")
		s.ends(130, "User to suspend: jeff^C\n"+interrupted)
	})
	t.Run("Confirmation", func(t *testing.T) {
		s := open(t, as(h, "users", "delete"))
		s.types("User to delete: ", "jeff\r")
		s.types("Delete jeff for good? [y/N] ", "y")
		s.types("y", "\x03")
		s.ends(130, "User to delete: jeff\nDelete jeff for good? [y/N] y^C\n"+interrupted)
	})
	expectJeff(t, c, account.User, true, "jeff likes jam")
}

// A job that was stopped at a question for a password, and goes on, hides what
// is typed again, although the shell had the terminal in between.
func TestStoppedAtAQuestion(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	jeff(t, c)
	const hidden = "New password for jeff: "
	in := as(h, "users", "password", "jeff")
	s := openIn(t, in, "bash", "--norc", "--noprofile", "-i")
	s.types("shell> ", "concourse users password jeff\r")
	for range 2 {
		s.await("\n" + hidden)
		s.expectEcho(false)
		s.types(hidden, "half\x1a")
		s.awaitText("Stopped")
		s.await("shell> ")
		s.forget()
		s.types("", "fg\r")
	}
	s.await("\n" + hidden)
	s.expectEcho(false)
	s.types(hidden, "jeff likes ham\r")
	s.types("Re-enter password: ", "jeff likes ham\r")
	s.awaitText("Password for user 'jeff' has been set\n")
	if strings.Contains(s.text(), "likes") || strings.Count(s.text(), hidden) != 1 {
		t.Errorf("the screen shows %q", s.text())
	}
	s.await("shell> ")
	s.types("shell> ", "exit\r")
	_ = s.cmd.Wait()
	expectJeff(t, c, account.User, true, "jeff likes ham")
}
