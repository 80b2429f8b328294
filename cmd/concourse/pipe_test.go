package main_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Whoever runs the command in a loop over its own standard input keeps what the
// command does not need, and the command does not wait for it.
func TestStandardInputIsReadOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	jeff(t, c)
	file := h.Home + "/secret"
	if err := os.WriteFile(file, []byte("jeff likes ham\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close() // only now: until then, whoever reads too much waits for ever
	execute := func(args ...string) {
		t.Helper()
		cmd := command(t, as(h, args...))
		cmd.Stdin = r
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	for _, args := range [][]string{
		{"users", "list"}, {"users", "sessions"}, {"users", "show", "jeff"}, {"sessions"}, {"plugin", "status"}, {"config"},
		{"users", "create", "carl", "--set-role", "USER", "--set-password", "carl keeps cats"},
		{"users", "create", "jeff", "--if-not-exists"},
		{"users", "delete", "carl"},
		{"users", "edit", "jeff", "--set-role", "ADMIN"},
		{"users", "password", "jeff", "--set-password-file", file},
		{"users", "check-password", "jeff", "--check-password-file", file},
		{"users", "grant", "jeff", "--permission", "READ"}, {"users", "revoke", "jeff"},
		{"users", "suspend", "jeff"}, {"users", "enable", "jeff"}, {"users", "disconnect", "jeff"},
	} {
		execute(args...)
	}
	if _, err := fmt.Fprint(w, "jeff likes spam\njeff likes spam\nthe next command's\n"); err != nil {
		t.Fatal(err)
	}
	execute("users", "enable", "jeff")
	execute("users", "password", "jeff")
	expectJeff(t, c, account.Admin, true, "jeff likes spam")
	rest := make([]byte, 64)
	if n, err := r.Read(rest); string(rest[:n]) != "the next command's\n" {
		t.Errorf("left for others is %q (%v)", rest[:n], err)
	}
}

// asked is a command that waits for an answer from a pipe.
type asked struct {
	in     io.WriteCloser
	signal func(os.Signal) error
	wait   func() (code int, rest string) // for its end; rest is what else it complained of
}

// ask starts a command and waits for its question.
func ask(t *testing.T, in invocation, question string) asked {
	t.Helper()
	cmd := command(t, in)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	if line, err := lines.ReadString('\n'); line != question+"\n" {
		t.Fatalf("asked %q (%v)", line, err)
	}
	return asked{in: stdin, signal: cmd.Process.Signal, wait: func() (int, string) {
		rest, _ := io.ReadAll(lines)
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode(), string(rest)
	}}
}

func TestInterruptedAtAPipe(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	jeff(t, c)
	a := ask(t, as(h, "users", "suspend"), "User to suspend: ")
	if _, err := io.WriteString(a.in, "jeff"); err != nil { // and no end of the line
		t.Fatal(err)
	}
	a.signal(syscall.SIGINT)
	if code, rest := a.wait(); code != 130 || rest != "ERROR: Interrupted; nothing was changed\n" {
		t.Errorf("exit code %d, %q", code, rest)
	}
	expectJeff(t, c, account.User, true, "jeff likes jam")
}

// The plugin hangs once the command has logged in, and the host gives up on the
// answer. Whatever became of the change, asking again under its id carries it
// out once.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t, "call_timeout: 2s")
	jeff(t, h.Admin())
	a := ask(t, as(h, "users", "suspend"), "User to suspend: ")
	h.SignalPlugin(syscall.SIGSTOP)
	if _, err := io.WriteString(a.in, "jeff\n"); err != nil {
		t.Fatal(err)
	}
	code, rest := a.wait()
	h.SignalPlugin(syscall.SIGCONT)
	said := regexp.MustCompile(`^ERROR: The outcome is unknown; ask again with --request-id ([0-9a-f-]{36}) within an hour\n$`).FindStringSubmatch(rest)
	if code != 12 || said == nil {
		t.Fatalf("exit code %d, %q", code, rest)
	}
	again := as(h, "users", "suspend", "jeff", "--request-id", said[1])
	o := run(t, again)
	for o.code == 7 { // the host may have given up on the plugin, and start it anew
		o = run(t, again)
	}
	o.expect(t, 0, "User 'jeff' is suspended\n", "")
	run(t, again).expect(t, 0, "User 'jeff' is suspended\n", "")
	run(t, as(h, "users", "suspend", "jeff")).expect(t, 0, "User 'jeff' is suspended already; nothing was changed\n", "")
}

// unread returns a pipe that nobody reads any more.
func unread(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

const brokenPipe = "ERROR: The result could not be printed: write /dev/stdout: broken pipe\n"

// What is listed for nobody ends as if SIGPIPE had ended it, without a word.
func TestReaderLeavesAListing(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	for _, args := range []string{
		"users list", "users list --format json", "users show admin", "users sessions", "users sessions --watch --format json", "users export",
		"users check-password admin --check-password x", "sessions", "plugin status", "config",
	} {
		t.Run(args, func(t *testing.T) {
			cmd := command(t, as(h, strings.Fields(args)...))
			var stderr strings.Builder
			cmd.Stdout, cmd.Stderr = unread(t), &stderr
			_ = cmd.Run()
			if cmd.ProcessState.ExitCode() != 141 || stderr.String() != "" {
				t.Errorf("%v, stderr %q", cmd.ProcessState, stderr.String())
			}
		})
	}
}

// A change that has begun is carried through, whoever listens.
func TestReaderLeavesAChange(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	accounts := t.TempDir() + "/accounts.yaml"
	if err := os.WriteFile(accounts, []byte("[{username: ann, password_env: P}, {username: bob, password_env: P}, {username: cid, password_env: P}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(in invocation, stdout, stderr *os.File) (code int, said string) {
		t.Helper()
		in.env = append(in.env, "P=plum jam on toast")
		cmd := command(t, in)
		var b strings.Builder
		cmd.Stdout, cmd.Stderr = stdout, &b
		if stderr != nil {
			cmd.Stderr = stderr
		}
		_ = cmd.Run()
		return cmd.ProcessState.ExitCode(), b.String()
	}
	if code, said := run(as(h, "users", "apply", "-f", accounts), unread(t), nil); code != 1 || said != brokenPipe {
		t.Errorf("apply: exit code %d, %q", code, said)
	}
	c := h.Admin()
	for _, name := range []string{"ann", "bob", "cid"} {
		if _, err := c.Show(t.Context(), name); err != nil {
			t.Errorf("apply ended early: %v", err)
		}
	}
	jeff(t, c)
	if code, said := run(as(h, "users", "suspend", "jeff"), unread(t), nil); code != 1 || said != brokenPipe {
		t.Errorf("suspend: exit code %d, %q", code, said)
	}
	expectJeff(t, c, account.User, false, "jeff likes jam")
	enable := as(h, "users", "enable") // the question goes to nobody
	if code, _ := run(enable, unread(t), unread(t)); code != 2 {
		t.Errorf("enable, without an answer: exit code %d", code)
	}
	if code, _ := run(as(h, "users", "enable", "jeff"), unread(t), unread(t)); code != 1 {
		t.Errorf("enable: exit code %d", code)
	}
	expectJeff(t, c, account.User, true, "jeff likes jam")
}

// A generated password that nobody has seen is set all the same.
func TestGeneratedPasswordThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	jeff(t, h.Admin())
	unseen := func(name string) string {
		return brokenPipe + "The password of '" + name + "' IS set now, and nobody has seen it; set another with 'concourse users password " + name +
			"' or, if no ADMIN can log in any more, with 'concourse recover " + name + "'\n"
	}
	expect := func(in invocation, says string) {
		t.Helper()
		cmd := command(t, in)
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = unread(t), &stderr
		_ = cmd.Run()
		if cmd.ProcessState.ExitCode() != 1 || stderr.String() != says {
			t.Errorf("%v: %v, stderr %q", in.args, cmd.ProcessState, stderr.String())
		}
	}
	expect(as(h, "users", "create", "ann", "--set-role", "ADMIN", "--generate"), unseen("ann"))
	expect(as(h, "users", "password", "jeff", "--generate"), unseen("jeff"))
	expect(as(h, "users", "create", "jeff", "--if-not-exists", "--generate"), brokenPipe)
	c := h.Admin()
	if ok, err := c.CheckPassword(t.Context(), account.Password{Username: "jeff", Password: account.Secret("jeff likes jam")}); ok || err != nil {
		t.Errorf("jeff's password was not set (%v)", err)
	}
	h.Stop()
	expect(asking(h, "recover", "ann", "--generate"), unseen("ann"))
}

func TestResultThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	unwritable, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer unwritable.Close()
	for _, args := range []string{"users show admin", "users show admin --format json", "users list", "users list --format json"} {
		t.Run(args, func(t *testing.T) {
			cmd := command(t, as(h, strings.Fields(args)...))
			var stderr strings.Builder
			cmd.Stdout, cmd.Stderr = unwritable, &stderr
			_ = cmd.Run()
			if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "he result could not be printed") {
				t.Errorf("%v, stderr %q", cmd.ProcessState, stderr.String())
			}
		})
	}
}
