package host_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule9SecretsStayInside shows that no password, token or hash comes out
// where nobody asked for it, with the log at its most talkative, and that a
// login does not tell an unknown name from a wrong password.
func TestRule9SecretsStayInside(t *testing.T) {
	t.Parallel()
	t.Run("Passwords", func(t *testing.T) { t.Parallel(); passwordsStayInside(t) })
	t.Run("Tokens", func(t *testing.T) { t.Parallel(); tokensStayInside(t) })
	t.Run("UnknownNames", func(t *testing.T) { t.Parallel(); unknownNames(t) })
	t.Run("CoreDumps", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		for what, pid := range map[string]int{"host": h.PID(), "plugin": h.PluginPID()} {
			limits := proc(t, pid, "limits")
			_, core, _ := strings.Cut(limits, "Max core file size")
			if fields := strings.Fields(core); len(fields) < 2 || fields[0] != "0" || fields[1] != "0" {
				t.Errorf("the %s may dump core: %v", what, fields[:2])
			}
		}
	})
}

// passwordsStayInside runs every command, well and badly, and then looks for
// each password, and for the beginning of every hash, wherever they must not be.
func passwordsStayInside(t *testing.T) {
	h := hosttest.New(t)
	h.Env = []string{"CONCOURSE_LOG_LEVEL=trace"}
	h.Start()
	secrets := []string{hosttest.Password}
	fresh := func(what string) string {
		s := fmt.Sprintf("Secret-of-%s-4b1d", what)
		secrets = append(secrets, s)
		return s
	}
	file := func(password string) string {
		path := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first, wrong := fresh("create"), fresh("nobody")
	var printed []string
	for _, c := range []struct {
		stdin string
		args  []string
		code  int
	}{
		{first, []string{"create", "jeff", "--set-role", "admin", "--set-password-file", "-"}, 0},
		{"", []string{"create", "jeff", "--set-role", "user", "--set-password", fresh("taken")}, 6},
		{"", []string{"create", "ann", "--set-role", "user", "--set-password", "tiny"}, 2},
		{"", []string{"create", "ann", "--set-role", "user", "--set-password", fresh("control") + "\x01"}, 2},
		{"", []string{"create", "ann", "--set-role", "user", "--set-password", strings.Repeat(fresh("long"), 60)}, 2},
		{fresh("typed") + "\n" + fresh("otherwise") + "\n", []string{"create", "ann", "--set-role", "user"}, 2},
		{"", []string{"edit", "jeff", "--set-password", fresh("edit"), "--set-role", "admin", "--format", "json"}, 0},
		{"", []string{"password", "jeff", "--set-password-file", file(fresh("password"))}, 0},
		{"", []string{"password", "nobody", "--set-password", fresh("missing"), "--format", "json"}, 5},
		{"", []string{"check-password", "jeff", "--check-password", fresh("guessed")}, 13},
		{"", []string{"check-password", "jeff", "--check-password-file", file(secrets[len(secrets)-1])}, 13},
		{"", []string{"list", "-u", wrong}, 3}, // a password in the wrong place
		{"", []string{"list", "-u", wrong, "--format", "json"}, 3},
		{"", []string{"list", "--password", fresh("login")}, 3},
		{"", []string{"list", "--password", fresh("json"), "--format", "json"}, 3},
		{"", []string{"show", "jeff", fresh("surplus")}, 2},
		{"", []string{"grant", "jeff", "--permission", "write"}, 0},
		{"", []string{"revoke", "jeff"}, 0},
		{"", []string{"suspend", "jeff"}, 0},
		{"", []string{"enable", "jeff"}, 0},
		{"", []string{"list"}, 0},
		{"", []string{"show", "jeff", "--format", "json"}, 0},
		{"", []string{"sessions", "--format", "json"}, 0},
		{"", []string{"disconnect", "jeff"}, 0},
		{"", []string{"delete", "jeff"}, 0},
	} {
		out := h.Run(c.stdin, append([]string{"users"}, c.args...)...)
		if out.Code != c.code {
			t.Errorf("users %v: %+v, want exit code %d", c.args, out, c.code)
		}
		printed = append(printed, out.Stdout, out.Stderr)
	}
	for _, args := range [][]string{{"plugin", "status"}, {"plugin", "reload"}, {"sessions"}, {"config"}} {
		out := h.Run("", args...)
		printed = append(printed, out.Stdout, out.Stderr)
	}
	for what, pid := range map[string]int{"host": h.PID(), "plugin": h.PluginPID()} {
		printed = append(printed, what+proc(t, pid, "cmdline"))
	}
	// Only root may look: the plugin's memory and environment are closed to
	// others of its own user.
	if environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", h.PluginPID())); err == nil {
		printed = append(printed, string(environ))
	} else if os.Geteuid() == 0 || !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	h.SignalPlugin(syscall.SIGABRT) // with every stack on its standard error
	hosttest.Await(t, "the plugin's end is logged", func() bool { return strings.Contains(h.Log(), "SIGABRT") })
	h.Admin()
	h.Stop()
	printed = append(printed, h.History(), files(t, h.Home))
	for _, text := range printed {
		for _, s := range append(secrets, "$argon2") {
			if at := strings.Index(text, s); at >= 0 {
				t.Errorf("%q is in: …%s…", s, text[max(at-200, 0):min(at+200, len(text))])
			}
		}
	}
	store, err := os.ReadFile(filepath.Join(h.Home, "accounts.db"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(store), "$argon2") {
		t.Error("no hash is in the store, so that looking for its form finds nothing")
	}
	for _, s := range secrets {
		if strings.Contains(string(store), s) {
			t.Errorf("%q is in the store", s)
		}
	}
}

// files returns the names and contents of all files below a home but the store.
func files(t *testing.T, home string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		fmt.Fprintln(&b, path)
		if err != nil || !d.Type().IsRegular() || d.Name() == "accounts.db" {
			return err
		}
		content, err := os.ReadFile(path)
		b.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tokensStayInside looks for tokens in every form that a slip might give them.
func tokensStayInside(t *testing.T) {
	p := assemble(t)
	admin := p.login(t, account.ManagementListener, hosttest.Administrator, hosttest.Password)
	c, err := p.gate.Admit(t.Context(), admin.Token, origin(account.ManagementListener), "Test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.gate.Create(t.Context(), c, anew, account.Create{Username: "jeff", Password: account.Secret(secret), Role: account.User}); err != nil {
		t.Fatal(err)
	}
	client := p.login(t, account.ClientListener, "jeff", secret)
	if _, err := p.gate.Password(t.Context(), c, anew, account.Password{Username: "jeff", Password: account.Secret(secret)}); err != nil {
		t.Fatal(err)
	}
	_, refused := p.gate.Admit(t.Context(), client.Token, origin(account.ClientListener), "Test")
	c.Done()
	p.gate.Close(admin)
	shown := files(t, p.home) + p.log.String() + fmt.Sprint(refused)
	for _, l := range []any{client, admin, client.Token, client.Session, c} {
		shown += fmt.Sprintf("%v %+v %#v %s %q %x", l, l, l, l, l, l)
	}
	for _, token := range [][32]byte{client.Token, admin.Token} {
		for _, form := range []string{string(token[:]), hex.EncodeToString(token[:]), client.Token.Text(), admin.Token.Text(), fmt.Sprint(token)} {
			if strings.Contains(shown, form) {
				t.Errorf("a token came out as %q", form)
			}
		}
	}
}

// unknownNames compares the answers to an unknown name and to a wrong password,
// and their times. Both compute one hash, which takes ten times as long as all
// the rest; so the bounds are wide and an answer without a hash is far outside.
func unknownNames(t *testing.T) {
	h := hosttest.Start(t)
	times := map[string][]time.Duration{}
	login := func(what, username, password string) error {
		began := time.Now()
		c, err := h.Login(username, password)
		times[what] = append(times[what], time.Since(began))
		if err == nil {
			c.Close()
		}
		return err
	}
	for n := range 15 {
		wrong := login("wrong password", hosttest.Administrator, "not the password")
		unknown := login("unknown name", fmt.Sprintf("nobody%d", n), hosttest.Password)
		answers := []error{unknown}
		if n < 2 { // those are throttled as one name
			answers = append(answers, login("no name", fmt.Sprintf("no name %d", n), hosttest.Password))
		}
		wantKind(t, "a wrong password", wrong, account.KindNotAuthenticated, "")
		for _, err := range answers {
			if d := cmp.Diff(wrong, err); d != "" {
				t.Errorf("the answer to a wrong password (-) is told from that to an unknown name (+):\n%s", d)
			}
		}
		if err := login("right", hosttest.Administrator, hosttest.Password); err != nil { // and the wrong one is forgiven
			t.Fatal(err)
		}
	}
	median := map[string]time.Duration{}
	for what, all := range times {
		slices.Sort(all)
		median[what] = all[len(all)/2]
	}
	for _, what := range []string{"unknown name", "right"} {
		if m, w := median[what], median["wrong password"]; m > 3*w || w > 3*m {
			t.Errorf("a login takes %v with a wrong password and %v with: %s", w, m, what)
		}
	}
	t.Log(median)
}

// proc reads a file of a process.
func proc(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
